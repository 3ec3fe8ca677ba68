/* SPDX-License-Identifier: Apache-2.0 */
/* The application on a PC without ESP-IDF. */
void app_main(void);

int main(void)
{
    app_main();
    return 0;
}
