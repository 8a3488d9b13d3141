// SPDX-License-Identifier: Apache-2.0
/*
 * verity.c - the fs-verity digest of a file. Such a file cannot be changed any more, so what is measured
 * once stays true of its identity.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "loader.h"

int wd_measure_verity(const char *path, struct wd_verity *ret_verity, struct wd_error *reterr_error)
{
	union {
		struct fsverity_digest head;
		uint8_t bytes[sizeof(struct fsverity_digest) + WD_VERITY_BYTES];
	} answer = { .head = { .digest_size = WD_VERITY_BYTES } };
	/* A FIFO must not hold this process, and a device must not notice. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int result;

	ret_verity->present = false;
	if (fd < 0)
		return wd_fail(reterr_error, "open", errno, path, "cannot open the path");
	result = ioctl(fd, FS_IOC_MEASURE_VERITY, &answer);
	close(fd);
	/* No fs-verity on this filesystem, not on this file, or of another algorithm. */
	if (result != 0 || answer.head.digest_algorithm != FS_VERITY_HASH_ALG_SHA256)
		return 0;
	ret_verity->present = true;
	for (int i = 0; i < WD_VERITY_BYTES; i++)
		ret_verity->digest[i] = answer.bytes[sizeof(answer.head) + i];
	return 0;
}
