// SPDX-License-Identifier: Apache-2.0
/* fs-verity: makes a file one that cannot be changed any more, and tells its digest. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "op.h"

#define BLOCK_BYTES 4096
#define SHA256_BYTES 32

static int seal(char **arg)
{
	struct fsverity_enable_arg how = { .version = 1,
					   .hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
					   .block_size = BLOCK_BYTES };
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return errno;
	error = outcome(ioctl(fd, FS_IOC_ENABLE_VERITY, &how));
	close(fd);
	return error;
}

/* Prints the digest as policies write it, before the outcome. */
static int measure(char **arg)
{
	union {
		struct fsverity_digest head;
		unsigned char bytes[sizeof(struct fsverity_digest) + SHA256_BYTES];
	} answer = { .head = { .digest_size = SHA256_BYTES } };
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return errno;
	error = outcome(ioctl(fd, FS_IOC_MEASURE_VERITY, &answer));
	close(fd);
	if (error)
		return error;
	printf("sha256:");
	for (int i = 0; i < SHA256_BYTES; i++)
		printf("%02x", answer.bytes[sizeof(answer.head) + i]);
	printf("\n");
	return 0;
}

const struct attempt sealing_attempts[] = {
	{ "seal", 1, seal },
	{ "measure", 1, measure },
	{ NULL, 0, NULL },
};
