/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - how the loader reports what failed.
 *
 * Every function that can fail returns 0, or -1 with the error filled in: `code` is the step
 * ("map-create", "freeze", "attach", ...) or the refusal ("busy", "committed"), `object` the map,
 * program or path it happened to. Nothing here is ever written to stderr.
 */
#ifndef WD_ERROR_H
#define WD_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#define WD_ERROR_DETAIL 8192

struct wd_error {
	char code[32];
	int err; /* positive errno; 0 when no system call failed */
	char object[128];
	char detail
		[WD_ERROR_DETAIL]; /* one sentence, then the end of libbpf's log if there is one */
};

/* Fills in the error and returns -1, so that callers can `return wd_fail(...)`. */
int wd_fail(struct wd_error *reterr_error, const char *code, int err, const char *object,
	    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "EACCES" for 13; "ENOTSUPP" for the kernel's internal 524; "E<number>" for unknown ones. */
const char *wd_errno_name(int err, char buffer[16]);

#ifdef __cplusplus
}
#endif

#endif
