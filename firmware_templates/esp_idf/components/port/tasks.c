/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#include "port.h"

enum { WORKERS = 2, STACK_BYTES = 4096, APART_STACK_BYTES = 6144, PRIORITY = 5, BREATH_US = 2000000 };

static struct {
    port_branch_fn fn;
    TaskHandle_t caller;
    TaskHandle_t worker[WORKERS];
    unsigned workers;
    StaticSemaphore_t lock_memory;
    SemaphoreHandle_t lock;
} s;

static void worker(void *argument)
{
    const unsigned branch = (unsigned)(uintptr_t)argument;
    for (;;) {
        ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
        s.fn(branch);
        xTaskNotifyGive(s.caller);
    }
}

int port_branches_open(unsigned tasks)
{
    s.lock = xSemaphoreCreateMutexStatic(&s.lock_memory);
    if (s.lock == NULL || tasks > WORKERS) {
        return -1;
    }
    for (unsigned i = 0; i < tasks; i++) {
        const BaseType_t core = (BaseType_t)(i % portNUM_PROCESSORS);
        if (xTaskCreatePinnedToCore(worker, i == 0 ? "branch0" : "branch1", STACK_BYTES, (void *)(uintptr_t)i,
                                    PRIORITY, &s.worker[i], core) != pdPASS) {
            return -1;
        }
    }
    s.workers = tasks;
    return 0;
}

void port_branches(port_branch_fn fn, unsigned count)
{
    if (count != s.workers) {
        for (unsigned i = 0; i < count; i++) {
            fn(i);
        }
        return;
    }
    s.fn = fn;
    s.caller = xTaskGetCurrentTaskHandle();
    for (unsigned i = count; i-- > 0;) {
        xTaskNotifyGive(s.worker[i]);
    }
    for (int left = (int)count; left > 0;) {
        left -= (int)ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    }
}

static struct {
    void (*fn)(void);
    volatile int ended;
} apart;

static void run_apart(void *argument)
{
    (void)argument;
    apart.fn();
    apart.ended = 1;
    vTaskDelete(NULL);
}

int port_run_apart(void (*fn)(void), unsigned timeout_ms)
{
    apart.fn = fn;
    apart.ended = 0;
    if (xTaskCreate(run_apart, "apart", APART_STACK_BYTES, NULL, tskIDLE_PRIORITY, NULL) != pdPASS) {
        return 0;
    }
    for (unsigned waited = 0; apart.ended == 0 && waited < timeout_ms; waited += 10) {
        vTaskDelay(pdMS_TO_TICKS(10));
    }
    return apart.ended;
}

void port_lock(void)
{
    xSemaphoreTake(s.lock, portMAX_DELAY);
}

void port_unlock(void)
{
    xSemaphoreGive(s.lock);
}

void port_breathe(void)
{
    static int64_t last_us[portNUM_PROCESSORS];
    const int64_t now_us = port_us();
    const BaseType_t core = xPortGetCoreID();
    if (now_us - last_us[core] > BREATH_US) {
        last_us[core] = now_us;
        vTaskDelay(1);
    }
}
