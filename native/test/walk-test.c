// SPDX-License-Identifier: Apache-2.0
/*
 * walk-test.c - the walk on real trees, under ASan and UBSan. What changes meanwhile is changed by the
 * callback for a hard-linked file, so each race happens at one known moment.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../walk.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                     \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#define FOUND_MAX 16

static struct {
	ino_t found[FOUND_MAX];
	size_t count;
	int again;
	int fds_most;
	void (*meanwhile)(void); /* called once for each hard link */
} seen;

static int count_fds(void)
{
	DIR *stream = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(stream))
		count++;
	closedir(stream);
	return count;
}

static int take(void *context, int fd, struct wd_error *reterr_error)
{
	struct stat stat;
	int fds = count_fds();

	(void)context;
	(void)reterr_error;
	CHECK(fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && seen.count < FOUND_MAX);
	seen.found[seen.count++] = stat.st_ino;
	if (fds > seen.fds_most)
		seen.fds_most = fds;
	if (seen.meanwhile)
		seen.meanwhile();
	return 0;
}

static void again(void *context)
{
	(void)context;
	seen.count = 0;
	seen.again++;
}

static int walk(const char *root, uint32_t entries_max, uint32_t *ret_entries,
		struct wd_error *reterr_error)
{
	struct wd_walk it = { .entries_max = entries_max, .linked = take, .again = again };
	int fd = open(root, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int before, result;

	CHECK(fd >= 0);
	seen.count = 0;
	seen.again = 0;
	seen.fds_most = 0;
	before = count_fds();
	result = wd_walk_tree(&it, fd, reterr_error);
	CHECK(count_fds() == before);
	close(fd);
	if (ret_entries)
		*ret_entries = it.entries;
	return result;
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	close(fd);
}

static void make_linked(const char *path, const char *other)
{
	make_file(path);
	CHECK(link(path, other) == 0);
}

static ino_t ino_of(const char *path)
{
	struct stat stat;

	CHECK(lstat(path, &stat) == 0);
	return stat.st_ino;
}

static void hard_links_are_found_whatever_their_names_are(void)
{
	struct wd_error error;
	uint32_t entries;

	CHECK(mkdir("tree", 0700) == 0 && mkdir("tree/below", 0700) == 0);
	make_linked("tree/below/\xff\xfe\n", "outside");
	make_file("tree/alone");
	CHECK(mkfifo("tree/fifo", 0600) == 0);
	CHECK(walk("tree", 4, &entries, &error) == 0);
	CHECK(entries == 4 && seen.again == 0);
	CHECK(seen.count == 1 && seen.found[0] == ino_of("outside"));
}

static void a_walk_that_may_visit_one_name_less_is_refused(void)
{
	struct wd_error error;

	CHECK(walk("tree", 3, NULL, &error) == -1 && strcmp(error.code, "too-large") == 0);
	CHECK(walk("tree", 0, NULL, &error) == -1 && strcmp(error.code, "too-large") == 0);
}

static void what_is_no_directory_has_no_entries(void)
{
	struct wd_error error;
	uint32_t entries = 7;

	CHECK(symlink("tree", "link") == 0);
	CHECK(walk("link", 100, &entries, &error) == 0 && entries == 0);
	CHECK(walk("outside", 100, &entries, &error) == 0 && entries == 0 && seen.count == 0);
}

static void a_tree_deeper_than_any_path_is_walked_with_few_descriptors(void)
{
	const int depth = 3000;
	struct wd_error error;
	uint32_t entries;
	int home = open(".", O_PATH | O_CLOEXEC), top;

	CHECK(mkdir("deep", 0700) == 0 && chdir("deep") == 0);
	top = open(".", O_PATH | O_CLOEXEC);
	make_file("first");
	for (int i = 0; i < depth; i++)
		CHECK(mkdir("d", 0700) == 0 && chdir("d") == 0);
	CHECK(linkat(top, "first", AT_FDCWD, "last", 0) == 0);
	CHECK(fchdir(home) == 0);
	close(top);
	close(home);
	CHECK(walk("deep", 100000, &entries, &error) == 0);
	CHECK(entries == (uint32_t)depth + 2 && seen.count == 2 && seen.again == 0);
	/* What was open before, then: stream, its directory, the file, and the count's own. */
	CHECK(seen.fds_most - count_fds() <= 5);
}

static void swap_for_link(void)
{
	if (rename("swap/below", "swap-was") == 0)
		CHECK(symlink("../elsewhere", "swap/below") == 0);
}

static void a_link_that_takes_the_place_of_a_directory_is_not_followed(void)
{
	struct wd_error error;

	CHECK(mkdir("swap", 0700) == 0 && mkdir("swap/below", 0700) == 0);
	CHECK(mkdir("elsewhere", 0700) == 0);
	make_linked("elsewhere/secret", "elsewhere/again");
	make_linked("swap/now", "swap-other");
	seen.meanwhile = swap_for_link;
	CHECK(walk("swap", 100, NULL, &error) == 0 && seen.again == 0);
	CHECK(seen.count == 1 && seen.found[0] == ino_of("swap/now"));
}

static void move_away_once(void)
{
	rename("moving/a/b", "moved");
}

static void a_walk_whose_way_back_was_moved_begins_again(void)
{
	struct wd_error error;

	CHECK(mkdir("moving", 0700) == 0 && mkdir("moving/a", 0700) == 0);
	CHECK(mkdir("moving/a/b", 0700) == 0);
	make_linked("moving/a/b/now", "moving-other");
	seen.meanwhile = move_away_once;
	CHECK(walk("moving", 100, NULL, &error) == 0);
	CHECK(seen.again == 1 && seen.count == 0);
}

static void move_to_and_fro(void)
{
	if (rename("restless/a/b", "restless/b") != 0)
		CHECK(rename("restless/b", "restless/a/b") == 0);
}

static void a_tree_that_never_rests_is_refused(void)
{
	struct wd_error error;

	CHECK(mkdir("restless", 0700) == 0 && mkdir("restless/a", 0700) == 0);
	CHECK(mkdir("restless/a/b", 0700) == 0);
	make_linked("restless/a/b/now", "restless-other");
	seen.meanwhile = move_to_and_fro;
	CHECK(walk("restless", 100, NULL, &error) == -1);
	CHECK(strcmp(error.code, "moved") == 0 && seen.again == 3);
}

static void remove_all(void)
{
	unlink("gone/a/now");
	rmdir("gone/a");
	rmdir("gone/c");
}

static void what_is_removed_meanwhile_is_passed_over(void)
{
	struct wd_error error;

	CHECK(mkdir("gone", 0700) == 0 && mkdir("gone/a", 0700) == 0);
	CHECK(mkdir("gone/c", 0700) == 0);
	make_linked("gone/a/now", "gone-other");
	seen.meanwhile = remove_all;
	CHECK(walk("gone", 100, NULL, &error) == 0 && seen.count == 1);
}

#define TEST(function)                                                                             \
	{                                                                                          \
#function, function                                                                \
	}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	TEST(hard_links_are_found_whatever_their_names_are),
	TEST(a_walk_that_may_visit_one_name_less_is_refused),
	TEST(what_is_no_directory_has_no_entries),
	TEST(a_tree_deeper_than_any_path_is_walked_with_few_descriptors),
	TEST(a_link_that_takes_the_place_of_a_directory_is_not_followed),
	TEST(a_walk_whose_way_back_was_moved_begins_again),
	TEST(a_tree_that_never_rests_is_refused),
	TEST(what_is_removed_meanwhile_is_passed_over),
};

int main(void)
{
	const size_t count = sizeof(tests) / sizeof(tests[0]);
	char folder[] = "/tmp/warder-walk-XXXXXX", command[64];

	CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
	for (size_t i = 0; i < count; i++) {
		seen.meanwhile = NULL;
		tests[i].run();
		printf("ok %zu - %s\n", i + 1, tests[i].name);
	}
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK(system(command) == 0);
	printf("%zu walk tests passed\n", count);
	return 0;
}
