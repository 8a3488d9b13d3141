// SPDX-License-Identifier: Apache-2.0
/*
 * socket.c - the two things of Unix sockets that Node cannot do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "loader.h"

int wd_peer_credentials(int fd, struct wd_peer *ret_peer, struct wd_error *reterr_error)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
		return wd_fail(reterr_error, "peer", errno, "SO_PEERCRED", "fd %d", fd);
	/* A socket without a peer answers with pid 0 and uid -1. */
	if (credentials.pid == 0)
		return wd_fail(reterr_error, "peer", ENOTCONN, "SO_PEERCRED", "fd %d has no peer",
			       fd);
	ret_peer->pid = credentials.pid;
	ret_peer->uid = credentials.uid;
	ret_peer->gid = credentials.gid;
	return 0;
}

/* sd_notify(3): a path, or "@" for a name in the abstract namespace. */
static int to_address(const char *name, struct sockaddr_un *ret_address, socklen_t *ret_length)
{
	size_t length = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || length < 2 ||
	    length >= sizeof(ret_address->sun_path))
		return -1;
	memset(ret_address, 0, sizeof(*ret_address));
	ret_address->sun_family = AF_UNIX;
	memcpy(ret_address->sun_path, name, length);
	if (name[0] == '@')
		ret_address->sun_path[0] = '\0';
	*ret_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (name[0] == '/')
		(*ret_length)++;
	return 0;
}

int wd_notify(const char *message, bool *ret_sent, struct wd_error *reterr_error)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address;
	socklen_t length;
	int fd, result = 0;

	*ret_sent = false;
	if (!name || name[0] == '\0')
		return 0;
	if (to_address(name, &address, &length) != 0)
		return wd_fail(reterr_error, "notify", EINVAL, name, "is no Unix socket address");
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return wd_fail(reterr_error, "notify", errno, name, "no socket");
	if (sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&address,
		   length) < 0)
		result = wd_fail(reterr_error, "notify", errno, name, "cannot send");
	else
		*ret_sent = true;
	close(fd);
	return result;
}
