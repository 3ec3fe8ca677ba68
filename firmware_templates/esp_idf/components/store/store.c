/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include "nvs.h"
#include "nvs_flash.h"

static const char space[] = "tinysearch";

int store_open(void)
{
    return nvs_flash_init() == ESP_OK ? 0 : -1;
}

int store_read(const char *name, void *record, size_t size)
{
    nvs_handle_t handle;
    esp_err_t err = nvs_open(space, NVS_READONLY, &handle);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        return 0;
    }
    if (err != ESP_OK) {
        return -1;
    }
    err = nvs_get_blob(handle, name, record, &size);
    nvs_close(handle);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        return 0;
    }
    return err == ESP_OK ? (int)size : -1;
}

int store_write(const char *name, const void *record, size_t size)
{
    nvs_handle_t handle;
    esp_err_t err = nvs_open(space, NVS_READWRITE, &handle);
    if (err != ESP_OK) {
        return -1;
    }
    if (size > 0) {
        err = nvs_set_blob(handle, name, record, size);
    } else {
        err = nvs_erase_key(handle, name);
        if (err == ESP_ERR_NVS_NOT_FOUND) {
            err = ESP_OK;
        }
    }
    if (err == ESP_OK) {
        err = nvs_commit(handle);
    }
    nvs_close(handle);
    return err == ESP_OK ? 0 : -1;
}
