// SPDX-License-Identifier: Apache-2.0
/*
 * pins.c - the directory of pins: its lock, its builds, and how a build is taken away.
 *
 *     <pin_dir>/<build>/maps/<map>      <pin_dir>/<build>/links/<program>
 *     <pin_dir>/<build>/banks/header_<bank>
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/magic.h>

#include "internal.h"

int wd_join(char *ret_path, size_t size, struct wd_error *reterr_error, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(ret_path, size, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= size)
		return wd_fail(reterr_error, "argument", ENAMETOOLONG, ret_path,
			       "the path is too long");
	return 0;
}

int wd_make_dir(const char *path, struct wd_error *reterr_error)
{
	if (mkdir(path, WD_DIR_MODE) != 0 && errno != EEXIST)
		return wd_fail(reterr_error, "pin", errno, path, "cannot make the directory");
	return 0;
}

int wd_lock_pin_dir(const char *pin_dir, int *ret_fd, struct wd_error *reterr_error)
{
	struct statfs fs;
	struct stat stat;
	int fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return wd_fail(reterr_error, "pin", errno, pin_dir, "cannot open the directory");
	if (fstatfs(fd, &fs) != 0 || fs.f_type != BPF_FS_MAGIC) {
		wd_fail(reterr_error, "bpffs", 0, pin_dir, "is not on a BPF file system");
		goto fail;
	}
	/* Who may write here may put another map or link under our names. */
	if (fstat(fd, &stat) != 0 || stat.st_uid != geteuid() || (stat.st_mode & 0022) != 0) {
		wd_fail(reterr_error, "pin", EPERM, pin_dir,
			"must belong to this user and be writable by no other");
		goto fail;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		wd_fail(reterr_error, errno == EWOULDBLOCK ? "busy" : "pin", errno, pin_dir,
			"another handle has the directory");
		goto fail;
	}
	*ret_fd = fd;
	return 0;
fail:
	close(fd);
	return -1;
}

bool wd_is_build_name(const char *name)
{
	size_t digits = strspn(name, "0123456789abcdef");

	if (digits < 8 || digits > WD_BUILD_MAX)
		return false;
	return name[digits] == '\0' || strcmp(name + digits, "-new") == 0 ||
	       (strncmp(name + digits, "-old", 4) == 0 && name[digits + 4] >= '0' &&
		name[digits + 4] <= '9' && name[digits + 5] == '\0');
}

int wd_move_aside(const char *build_dir, struct wd_error *reterr_error)
{
	char path[PATH_MAX];

	/* More than one when an earlier repair ended before what it replaced was removed. */
	for (int number = 0; number < 10; number++) {
		if (wd_join(path, sizeof(path), reterr_error, "%s-old%d", build_dir, number) != 0)
			return -1;
		if (access(path, F_OK) == 0)
			continue;
		if (rename(build_dir, path) != 0 && errno != ENOENT)
			return wd_fail(reterr_error, "pin", errno, path,
				       "cannot move the pins aside");
		return 0;
	}
	return wd_fail(reterr_error, "pin", EEXIST, build_dir, "ten repairs were left unfinished");
}

/* Remembers which link a pin leads to, so that its end can be awaited. */
static void note_link(const char *path, struct wd_link_ids *ids)
{
	struct bpf_link_info info = { 0 };
	uint32_t length = sizeof(info);
	int fd = bpf_obj_get(path);

	if (fd < 0)
		return;
	if (bpf_obj_get_info_by_fd(fd, &info, &length) == 0 &&
	    ids->count < sizeof(ids->ids) / sizeof(ids->ids[0]))
		ids->ids[ids->count++] = info.id;
	close(fd);
}

/* Empties and removes one directory of pins. */
static int remove_pins(const char *build_dir, const char *kind, struct wd_link_ids *ids,
		       struct wd_error *reterr_error)
{
	char dir[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	bool links = strcmp(kind, "links") == 0;
	struct dirent *entry;
	DIR *stream;

	if (wd_join(dir, sizeof(dir), reterr_error, "%s/%s", build_dir, kind) != 0)
		return -1;
	stream = opendir(dir);
	if (!stream)
		return errno == ENOENT ? 0
				       : wd_fail(reterr_error, "pin", errno, dir, "cannot list");
	while ((entry = readdir(stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		if (links)
			note_link(path, ids);
		if (unlink(path) != 0) {
			wd_fail(reterr_error, "pin", errno, path, "cannot remove the pin");
			closedir(stream);
			return -1;
		}
		ids->removed += links;
	}
	closedir(stream);
	if (rmdir(dir) != 0)
		return wd_fail(reterr_error, "pin", errno, dir, "cannot remove the directory");
	return 0;
}

int wd_remove_build(const char *build_dir, struct wd_link_ids *ids, struct wd_error *reterr_error)
{
	/* Links first: programs must never run on while their maps are taken apart. */
	if (remove_pins(build_dir, "links", ids, reterr_error) != 0 ||
	    remove_pins(build_dir, "banks", ids, reterr_error) != 0 ||
	    remove_pins(build_dir, "maps", ids, reterr_error) != 0)
		return -1;
	if (rmdir(build_dir) != 0 && errno != ENOENT)
		return wd_fail(reterr_error, "pin", errno, build_dir,
			       "cannot remove the directory");
	return 0;
}
