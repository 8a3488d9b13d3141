/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - what libbpf says, kept instead of printed.
 *
 * libbpf has one print callback per process, so there is one buffer per process. It keeps the end
 * of the text: a verifier log says at its end what was refused.
 */
#ifndef WD_LOG_H
#define WD_LOG_H

#include <stddef.h>

#define WD_LOG_BYTES 65536

void wd_log_capture(void); /* installs the callback; libbpf never writes to stderr after this */
void wd_log_clear(void);
void wd_log_append(const char *text, size_t length);

/* Copies the last lines that fit into size - 1 bytes, cut at a line start. */
void wd_log_tail(char *ret_text, size_t size);

#endif
