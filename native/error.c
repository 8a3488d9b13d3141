// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "error.h"

#define KERNEL_ENOTSUPP 524 /* include/linux/errno.h; escapes to user space from bpf(2) */

int wd_fail(struct wd_error *reterr_error, const char *code, int err, const char *object,
	    const char *format, ...)
{
	va_list arguments;

	snprintf(reterr_error->code, sizeof(reterr_error->code), "%s", code);
	snprintf(reterr_error->object, sizeof(reterr_error->object), "%s", object);
	reterr_error->err = err < 0 ? -err : err;
	va_start(arguments, format);
	vsnprintf(reterr_error->detail, sizeof(reterr_error->detail), format, arguments);
	va_end(arguments);
	return -1;
}

const char *wd_errno_name(int err, char buffer[16])
{
	const char *name = strerrorname_np(err);

	if (name)
		return name;
	if (err == KERNEL_ENOTSUPP)
		return "ENOTSUPP";
	snprintf(buffer, 16, "E%d", err);
	return buffer;
}
