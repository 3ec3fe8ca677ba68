#include "store.h"

#include <stdio.h>

#include "nvs.h"
#include "nvs_flash.h"

static const char space[] = "tinysearch";

static void key_of(unsigned slot, char key[NVS_KEY_NAME_MAX_SIZE])
{
    snprintf(key, NVS_KEY_NAME_MAX_SIZE, "r%u", slot % 1000u);
}

int store_open(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        err = nvs_flash_erase();
        if (err == ESP_OK) {
            err = nvs_flash_init();
        }
    }
    return err == ESP_OK ? 0 : -1;
}

int store_read(unsigned slot, void *record, size_t size)
{
    nvs_handle_t handle;
    char key[NVS_KEY_NAME_MAX_SIZE];
    esp_err_t err = nvs_open(space, NVS_READONLY, &handle);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        return 0;
    }
    if (err != ESP_OK) {
        return -1;
    }
    key_of(slot, key);
    err = nvs_get_blob(handle, key, record, &size);
    nvs_close(handle);
    if (err == ESP_ERR_NVS_NOT_FOUND) {
        return 0;
    }
    return err == ESP_OK ? (int)size : -1;
}

int store_write(unsigned slot, const void *record, size_t size)
{
    nvs_handle_t handle;
    char key[NVS_KEY_NAME_MAX_SIZE];
    esp_err_t err = nvs_open(space, NVS_READWRITE, &handle);
    if (err != ESP_OK) {
        return -1;
    }
    key_of(slot, key);
    if (size > 0) {
        err = nvs_set_blob(handle, key, record, size);
    } else {
        err = nvs_erase_key(handle, key);
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

uint32_t store_get_number(const char *name)
{
    nvs_handle_t handle;
    uint32_t value = 0;
    if (nvs_open(space, NVS_READONLY, &handle) != ESP_OK) {
        return 0;
    }
    if (nvs_get_u32(handle, name, &value) != ESP_OK) {
        value = 0;
    }
    nvs_close(handle);
    return value;
}

int store_set_number(const char *name, uint32_t value)
{
    nvs_handle_t handle;
    if (nvs_open(space, NVS_READWRITE, &handle) != ESP_OK) {
        return -1;
    }
    esp_err_t err = nvs_set_u32(handle, name, value);
    if (err == ESP_OK) {
        err = nvs_commit(handle);
    }
    nvs_close(handle);
    return err == ESP_OK ? 0 : -1;
}
