// SPDX-License-Identifier: Apache-2.0
/*
 * walk.c - a depth-first walk by descriptors, for trees in which anybody may have made anything.
 *
 * Invariants:
 *  - No path is ever put together, so a tree may be deeper than PATH_MAX and names may be any bytes.
 *  - At most a handful of descriptors are open, however deep the tree is. The way back is "..", and it
 *    counts only if it leads to the directory that was left: otherwise somebody moved one of them, and
 *    the walk begins again.
 *  - No symbolic link is followed and no mount is entered, bind mounts included: RESOLVE_NO_XDEV.
 *    A filesystem of another user below the tree is not even asked, so it cannot keep the caller.
 *  - Memory is bounded by entries_max names.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "walk.h"

#define RESTARTS_MAX 3
#define LIST_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define NAME_FLAGS (O_PATH | O_NOFOLLOW | O_CLOEXEC)

enum outcome { DONE = 0, FAILED = -1, AGAIN = 1 };

/* A directory that the walk is in or below. */
struct frame {
	dev_t dev;
	ino_t ino;
	size_t first; /* where its waiting names begin in `names` */
};

struct state {
	struct wd_walk *walk;
	struct wd_error *error;
	struct frame *frames;
	size_t depth, frames_room;
	/* Names of directories still to visit: the bytes, a zero, and their length as two bytes. */
	char *names;
	size_t names_used, names_room;
};

static int open_beneath(int fd, const char *name, uint64_t flags)
{
	struct open_how how = {
		.flags = flags,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, fd, name, &how, sizeof(how));
}

/* What an open says when the entry went away, became something else, or is a mount point. */
static bool is_elsewhere(int err)
{
	return err == ENOENT || err == ENOTDIR || err == ELOOP || err == EXDEV;
}

static enum outcome fail(struct state *state, const char *code, int err, const char *what)
{
	wd_fail(state->error, code, err, "", "%s", what);
	return FAILED;
}

static bool reserve(void **memory, size_t *room, size_t needed, size_t item)
{
	size_t wanted = *room ? *room : 64;
	void *grown;

	if (needed <= *room)
		return true;
	while (wanted < needed)
		wanted *= 2;
	grown = realloc(*memory, wanted * item);
	if (!grown)
		return false;
	*memory = grown;
	*room = wanted;
	return true;
}

static bool push_name(struct state *state, const char *name)
{
	uint16_t length = (uint16_t)strlen(name); /* d_name holds 255 bytes */
	size_t bytes = length + 1 + sizeof(length);

	if (!reserve((void **)&state->names, &state->names_room, state->names_used + bytes, 1))
		return false;
	memcpy(state->names + state->names_used, name, length + 1);
	memcpy(state->names + state->names_used + length + 1, &length, sizeof(length));
	state->names_used += bytes;
	return true;
}

/* Valid until the next push. */
static const char *pop_name(struct state *state)
{
	uint16_t length;

	state->names_used -= sizeof(length);
	memcpy(&length, state->names + state->names_used, sizeof(length));
	state->names_used -= length + 1;
	return state->names + state->names_used;
}

static enum outcome take_file(struct state *state, int directory, const char *name)
{
	struct statx stat;
	int fd, result;

	/* What a network filesystem or FUSE has cached will do; a server is not waited for. */
	if (statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC,
		  STATX_TYPE | STATX_NLINK, &stat) != 0)
		return errno == ENOENT ? DONE : fail(state, "scan", errno, "cannot stat an entry");
	if (S_ISDIR(stat.stx_mode))
		return push_name(state, name) ? DONE : fail(state, "memory", ENOMEM, "names");
	if (!S_ISREG(stat.stx_mode) || stat.stx_nlink < 2)
		return DONE;
	fd = open_beneath(directory, name, NAME_FLAGS);
	if (fd < 0)
		return is_elsewhere(errno) ? DONE
					   : fail(state, "scan", errno, "cannot open a hard link");
	result = state->walk->linked(state->walk->context, fd, state->error);
	close(fd);
	return result == 0 ? DONE : FAILED;
}

static enum outcome take_entry(struct state *state, int directory, const struct dirent *entry)
{
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
		return DONE;
	if (state->walk->entries >= state->walk->entries_max)
		return fail(state, "too-large", 0, "more entries than may be visited");
	state->walk->entries++;
	switch (entry->d_type) {
	case DT_DIR:
		return push_name(state, entry->d_name) ? DONE
						       : fail(state, "memory", ENOMEM, "names");
	case DT_REG:
	case DT_UNKNOWN:
		return take_file(state, directory, entry->d_name);
	default:
		return DONE;
	}
}

static enum outcome list(struct state *state, int fd)
{
	enum outcome outcome = DONE;
	const struct dirent *entry;
	/* closedir() closes its descriptor, and the walk goes on from its own. */
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	DIR *stream = own < 0 ? NULL : fdopendir(own);

	if (!stream) {
		int err = errno;

		if (own >= 0)
			close(own);
		return fail(state, "scan", err, "cannot list a directory");
	}
	while (outcome == DONE) {
		errno = 0;
		entry = readdir(stream);
		if (!entry) {
			/* ENOENT: the directory was removed. */
			if (errno != 0 && errno != ENOENT)
				outcome = fail(state, "scan", errno, "cannot read a directory");
			break;
		}
		outcome = take_entry(state, fd, entry);
	}
	closedir(stream);
	return outcome;
}

/* Notes where the walk is and lists it. */
static enum outcome enter(struct state *state, int fd)
{
	struct stat stat;

	if (fstat(fd, &stat) != 0)
		return fail(state, "scan", errno, "cannot stat a directory");
	if (!reserve((void **)&state->frames, &state->frames_room, state->depth + 1,
		     sizeof(*state->frames)))
		return fail(state, "memory", ENOMEM, "directories");
	state->frames[state->depth++] = (struct frame){
		.dev = stat.st_dev,
		.ino = stat.st_ino,
		.first = state->names_used,
	};
	return list(state, fd);
}

/* Goes back to the directory above, which must be the one that the walk came from. */
static enum outcome leave(struct state *state, int *fd)
{
	const struct frame *above;
	struct stat stat;
	int up;

	if (--state->depth == 0)
		return DONE;
	above = &state->frames[state->depth - 1];
	/* EAGAIN: the kernel saw a rename or a mount meanwhile. */
	up = open_beneath(*fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (up < 0)
		return is_elsewhere(errno) || errno == EAGAIN
			       ? AGAIN
			       : fail(state, "scan", errno, "cannot go back up");
	close(*fd);
	*fd = up;
	if (fstat(up, &stat) != 0)
		return fail(state, "scan", errno, "cannot stat a directory");
	return stat.st_dev == above->dev && stat.st_ino == above->ino ? DONE : AGAIN;
}

static enum outcome step(struct state *state, int *fd)
{
	int below;

	if (state->names_used == state->frames[state->depth - 1].first)
		return leave(state, fd);
	below = open_beneath(*fd, pop_name(state), LIST_FLAGS);
	if (below < 0)
		return is_elsewhere(errno) ? DONE
					   : fail(state, "scan", errno, "cannot open a directory");
	close(*fd);
	*fd = below;
	return enter(state, below);
}

static enum outcome walk_once(struct state *state, int root_fd)
{
	enum outcome outcome;
	int fd = open_beneath(root_fd, ".", LIST_FLAGS);

	state->depth = 0;
	state->names_used = 0;
	state->walk->entries = 0;
	if (fd < 0)
		return is_elsewhere(errno) ? DONE
					   : fail(state, "scan", errno, "cannot open the tree");
	outcome = enter(state, fd);
	while (outcome == DONE && state->depth > 0)
		outcome = step(state, &fd);
	close(fd);
	return outcome;
}

int wd_walk_tree(struct wd_walk *walk, int root_fd, struct wd_error *reterr_error)
{
	struct state state = { .walk = walk, .error = reterr_error };
	enum outcome outcome = walk_once(&state, root_fd);

	for (int i = 0; outcome == AGAIN && i < RESTARTS_MAX; i++) {
		walk->again(walk->context);
		outcome = walk_once(&state, root_fd);
	}
	free(state.frames);
	free(state.names);
	if (outcome == AGAIN)
		return wd_fail(reterr_error, "moved", 0, "",
			       "directories were moved during each of %d walks", RESTARTS_MAX + 1);
	return outcome;
}
