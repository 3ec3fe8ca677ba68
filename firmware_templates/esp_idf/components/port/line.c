/* SPDX-License-Identifier: Apache-2.0 */
#include "line.h"

enum { BACKSPACE = 8, DELETE = 127 };

int line_take(line *line, char c, int hidden, const char **echo)
{
    static char shown[2];
    *echo = "";
    if (c == '\n' || c == '\r') {
        if (line->length == 0) {
            return -1;
        }
        *echo = "\r\n";
        line->text[line->length] = 0;
        const int length = (int)line->length;
        line->length = 0;
        return length;
    }
    if (c == BACKSPACE || c == DELETE) {
        if (line->length > 0) {
            line->length--;
            *echo = "\b \b";
        }
    } else if (line->length + 1 < line->size) {
        line->text[line->length++] = c;
        shown[0] = c;
        *echo = hidden ? "*" : shown;
    }
    return -1;
}
