// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char text_kept[WD_LOG_BYTES];
static size_t length_kept;

void wd_log_append(const char *text, size_t length)
{
	pthread_mutex_lock(&lock);
	if (length > sizeof(text_kept)) {
		text += length - sizeof(text_kept);
		length = sizeof(text_kept);
	}
	if (length_kept + length > sizeof(text_kept)) {
		size_t surplus = length_kept + length - sizeof(text_kept);

		length_kept -= surplus;
		memmove(text_kept, text_kept + surplus, length_kept);
	}
	memcpy(text_kept + length_kept, text, length);
	length_kept += length;
	pthread_mutex_unlock(&lock);
}

void wd_log_clear(void)
{
	pthread_mutex_lock(&lock);
	length_kept = 0;
	pthread_mutex_unlock(&lock);
}

void wd_log_tail(char *ret_text, size_t size)
{
	size_t start = 0;

	pthread_mutex_lock(&lock);
	if (length_kept > size - 1) {
		const char *line;

		start = length_kept - (size - 1);
		line = memchr(text_kept + start, '\n', length_kept - start);
		if (line && line + 1 < text_kept + length_kept)
			start = (size_t)(line + 1 - text_kept);
	}
	memcpy(ret_text, text_kept + start, length_kept - start);
	ret_text[length_kept - start] = '\0';
	pthread_mutex_unlock(&lock);
}

static int keep(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char *line;
	int length;

	if (level == LIBBPF_DEBUG)
		return 0;
	/* A verifier log arrives as one argument and may have megabytes, hence no fixed buffer. */
	length = vasprintf(&line, format, arguments);
	if (length < 0)
		return 0;
	wd_log_append(line, (size_t)length);
	free(line);
	return length;
}

void wd_log_capture(void)
{
	libbpf_set_print(keep);
}
