// SPDX-License-Identifier: Apache-2.0
/*
 * loader-test.c - unit tests of the loader for what needs no loaded program, under ASan and UBSan.
 *
 * Each test is a sentence; the first failed check ends the run with its place. Tests that need maps
 * are skipped, and say so, where bpf(2) is refused.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "../internal.h"
#include "../log.h"

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);                     \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static char folder[] = "/tmp/warder-loader-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][PATH_MAX];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

static void make_file(const char *name, const char *text)
{
	int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void an_error_names_step_errno_and_object(void)
{
	struct wd_error error;
	char buffer[16];

	CHECK(wd_fail(&error, "map-create", -E2BIG, "objects_1", "%d rows", 7) == -1);
	CHECK(strcmp(error.code, "map-create") == 0 && error.err == E2BIG);
	CHECK(strcmp(error.object, "objects_1") == 0 && strcmp(error.detail, "7 rows") == 0);
	CHECK(strcmp(wd_errno_name(EACCES, buffer), "EACCES") == 0);
	CHECK(strcmp(wd_errno_name(524, buffer), "ENOTSUPP") == 0);
	CHECK(strcmp(wd_errno_name(9999, buffer), "E9999") == 0);
}

static void an_error_cuts_what_is_too_long(void)
{
	char *text = malloc(20000);
	struct wd_error error;

	memset(text, 'x', 19999);
	text[19999] = '\0';
	wd_fail(&error, text, 0, text, "%s", text);
	CHECK(strlen(error.code) == sizeof(error.code) - 1);
	CHECK(strlen(error.object) == sizeof(error.object) - 1);
	CHECK(strlen(error.detail) == sizeof(error.detail) - 1);
	free(text);
}

static void the_log_keeps_its_end_from_a_line_start(void)
{
	char line[64], tail[100];

	wd_log_clear();
	wd_log_tail(tail, sizeof(tail));
	CHECK(strcmp(tail, "") == 0);
	for (int i = 0; i < 10000; i++) {
		snprintf(line, sizeof(line), "line %d\n", i);
		wd_log_append(line, strlen(line));
	}
	wd_log_tail(tail, sizeof(tail));
	CHECK(strncmp(tail, "line 99", 7) == 0);
	CHECK(strcmp(tail + strlen(tail) - 10, "line 9999\n") == 0);
}

static void the_log_takes_more_than_it_holds_at_once(void)
{
	size_t length = WD_LOG_BYTES * 2 + 3;
	char *text = malloc(length), tail[8];

	memset(text, 'a', length);
	memcpy(text + length - 3, "end", 3);
	wd_log_append(text, length);
	wd_log_tail(tail, sizeof(tail));
	CHECK(strcmp(tail, "aaaaend") == 0);
	free(text);
	wd_log_clear();
}

static void every_program_has_one_row_for_its_prototype(void)
{
	CHECK(wd_spec_count > 0 && wd_spec_count <= WD_HOOKS * 2);
	for (size_t i = 0; i < wd_spec_count; i++) {
		CHECK(wd_spec_for(wd_specs[i].hook, wd_specs[i].nargs) == &wd_specs[i]);
		for (size_t j = 0; j < i; j++)
			CHECK(strcmp(wd_specs[i].program, wd_specs[j].program) != 0);
	}
	CHECK(wd_spec_for("inode_setattr", 2) != wd_spec_for("inode_setattr", 3));
	CHECK(wd_spec_for("inode_setattr", 9) == NULL && wd_spec_for("none", 1) == NULL);
}

static void only_names_of_builds_are_builds(void)
{
	CHECK(wd_is_build_name("0123abcd") && wd_is_build_name("0123456789abcdef-new"));
	CHECK(!wd_is_build_name("0123abc") && !wd_is_build_name("0123ABCD"));
	CHECK(!wd_is_build_name("0123abcd-old") && !wd_is_build_name("..") &&
	      !wd_is_build_name("0123abcd/x"));
}

static void a_path_that_is_too_long_is_refused(void)
{
	struct wd_error error;
	char path[8];

	CHECK(wd_join(path, sizeof(path), &error, "%s/%s", "abc", "def") == 0);
	CHECK(wd_join(path, sizeof(path), &error, "%s/%s", "abcd", "def") == -1);
	CHECK(error.err == ENAMETOOLONG);
}

static void only_a_bpf_file_system_holds_pins(void)
{
	struct wd_removal removal;
	struct wd_error error;
	int fd;

	CHECK(wd_lock_pin_dir(folder, &fd, &error) == -1 && strcmp(error.code, "bpffs") == 0);
	CHECK(wd_disable_pins(folder, &removal, &error) == -1);
	CHECK(wd_disable_pins(in_folder("none"), &removal, &error) == 0 && removal.links == 0);
}

static void a_wrong_object_is_refused_before_anything_is_made(void)
{
	struct wd_open_options options = { "not an object", 13, "XYZ", folder, false };
	struct wd_kernel *kernel;
	struct wd_error error;

	CHECK(wd_open(&options, &kernel, &error) == -1 && strcmp(error.code, "argument") == 0);
	options.build = "0123abcd-new";
	CHECK(wd_open(&options, &kernel, &error) == -1 && strcmp(error.code, "argument") == 0);
	options.build = "0123abcd";
	CHECK(wd_open(&options, &kernel, &error) == -1 && strcmp(error.code, "bpffs") == 0);
}

static void the_host_is_described_without_failing(void)
{
	struct wd_host host;

	wd_probe_host(&host);
	CHECK(host.release[0] != '\0' && host.hook_count > 0);
	for (size_t i = 0; i < host.hook_count; i++)
		CHECK(host.hooks[i].nargs >= 0 || host.hooks[i].program == NULL);
}

static void rows_are_sorted_by_the_bytes_of_the_key(void)
{
	uint8_t bytes[] = { 9, 1, 'a', 0, 2, 'b', 9, 0, 'c' };
	struct wd_rows rows = { bytes, sizeof(bytes) };

	wd_sort_rows(&rows, 3, 2);
	CHECK(memcmp(bytes, (uint8_t[]){ 0, 2, 'b', 9, 0, 'c', 9, 1, 'a' }, sizeof(bytes)) == 0);
	rows.length = 0;
	wd_sort_rows(&rows, 3, 2);
}

static int make_map(enum bpf_map_type type, uint32_t key_bytes, uint32_t value_bytes,
		    uint32_t entries)
{
	int fd = bpf_map_create(type, "test", key_bytes, value_bytes, entries, NULL);

	if (fd < 0 && errno == EPERM) {
		printf("skipped: bpf(2) is refused here\n");
		return -1;
	}
	CHECK(fd >= 0);
	return fd;
}

static void rows_come_back_from_a_hash(void)
{
	enum { COUNT = 20000, ROW = sizeof(struct wd_identity) + sizeof(struct wd_object) };
	struct wd_rows rows = { calloc(COUNT, ROW), (size_t)COUNT * ROW }, back = { 0 };
	const uint32_t key_bytes = sizeof(struct wd_identity);
	int fd = make_map(BPF_MAP_TYPE_HASH, key_bytes, ROW - key_bytes, COUNT);
	struct wd_error error;

	for (uint64_t i = 0; i < COUNT; i++) {
		uint64_t ino = i * 2654435761u;

		memcpy(rows.bytes + i * ROW, &ino, sizeof(ino));
		rows.bytes[i * ROW + key_bytes] = (uint8_t)i;
	}
	if (fd >= 0) {
		CHECK(wd_write_rows(fd, "test", &rows, key_bytes, ROW - key_bytes, &error) == 0);
		CHECK(bpf_map_freeze(fd) == 0);
		CHECK(wd_write_rows(fd, "test", &rows, key_bytes, ROW - key_bytes, &error) == -1);
		CHECK(error.err == EPERM && strcmp(error.code, "map-update") == 0);
		CHECK(wd_read_rows(fd, "test", &back, &error) == 0);
		wd_sort_rows(&rows, ROW, key_bytes);
		CHECK(back.length == rows.length);
		CHECK(memcmp(back.bytes, rows.bytes, rows.length) == 0);
		close(fd);
	}
	free(back.bytes);
	free(rows.bytes);
}

static void an_empty_hash_and_an_array_come_back(void)
{
	int hash = make_map(BPF_MAP_TYPE_HASH, 4, 4, 1), array;
	uint32_t cells[] = { 0, 10, 1, 11, 2, 12 };
	struct wd_rows rows = { (uint8_t *)cells, sizeof(cells) }, back = { 0 };
	struct wd_error error;

	if (hash < 0)
		return;
	CHECK(wd_read_rows(hash, "test", &back, &error) == 0 && back.length == 0);
	free(back.bytes);
	CHECK(wd_write_rows(hash, "test", &rows, 4, 4, &error) == -1 && error.err == E2BIG);
	array = make_map(BPF_MAP_TYPE_ARRAY, 4, 4, 3);
	CHECK(wd_write_rows(array, "test", &rows, 4, 4, &error) == 0);
	CHECK(wd_read_rows(array, "test", &back, &error) == 0 && back.length == sizeof(cells));
	CHECK(memcmp(back.bytes, cells, sizeof(cells)) == 0);
	free(back.bytes);
	close(hash);
	close(array);
}

static void a_peer_is_known_by_its_socket_only(void)
{
	int pair[2], alone = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct wd_error error;
	struct wd_peer peer;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(wd_peer_credentials(pair[0], &peer, &error) == 0);
	CHECK(peer.pid == getpid() && peer.uid == geteuid() && peer.gid == getegid());
	CHECK(wd_peer_credentials(alone, &peer, &error) == -1 && error.err == ENOTCONN);
	CHECK(wd_peer_credentials(-1, &peer, &error) == -1 && error.err == EBADF);
	close(pair[0]);
	close(pair[1]);
	close(alone);
}

/* Binds a datagram socket to a name as systemd writes it, and expects one message there. */
static void expect_notification(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct wd_error error;
	char message[16] = "";
	bool sent;

	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	CHECK(bind(fd, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))) == 0);
	setenv("NOTIFY_SOCKET", name, 1);
	CHECK(wd_notify("READY=1", &sent, &error) == 0 && sent);
	CHECK(recv(fd, message, sizeof(message), MSG_DONTWAIT) == 7);
	CHECK(strcmp(message, "READY=1") == 0);
	close(fd);
}

static void the_service_manager_is_told(void)
{
	char abstract[64];
	struct wd_error error;
	bool sent;

	unsetenv("NOTIFY_SOCKET");
	CHECK(wd_notify("READY=1", &sent, &error) == 0 && !sent);
	expect_notification(in_folder("notify"));
	snprintf(abstract, sizeof(abstract), "@warder-loader-test-%d", getpid());
	expect_notification(abstract);
	CHECK(wd_notify("READY=1", &sent, &error) == -1 && error.err == ECONNREFUSED);
	setenv("NOTIFY_SOCKET", "relative", 1);
	CHECK(wd_notify("READY=1", &sent, &error) == -1 && error.err == EINVAL);
	unsetenv("NOTIFY_SOCKET");
}

static void canaries_tell_what_each_call_answered(void)
{
	const char *file = in_folder("file"), *none = in_folder("none"),
		   *other = in_folder("other");
	const struct wd_try tries[] = {
		{ "open-read", file, NULL }, { "open-read", none, NULL },
		{ "create", file, NULL },    { "link", file, other },
		{ "unlink", other, NULL },   { "rmdir", file, NULL },
		{ "exec", file, NULL },	     { "exec", "/bin/true", NULL },
		{ "chmod", none, NULL },
	};
	const int wanted[] = { 0, ENOENT, EEXIST, 0, 0, ENOTDIR, EACCES, 0, ENOENT };
	const size_t count = sizeof(tries) / sizeof(tries[0]);
	int errnos[sizeof(tries) / sizeof(tries[0])];
	struct wd_error error;

	make_file("file", "text");
	CHECK(wd_try_all(tries, count, WD_TRY_DEADLINE_MS, errnos, &error) == 0);
	for (size_t i = 0; i < count; i++)
		CHECK(errnos[i] == wanted[i]);
}

static void a_canary_without_an_answer_is_no_success(void)
{
	const struct wd_try request = { "open-read", "/", NULL };
	struct wd_error error;
	int err = 0;

	CHECK(wd_try_all(&request, 1, 0, &err, &error) == 0 && err == WD_TRY_UNANSWERED);
}

static void a_canary_refuses_what_it_does_not_know(void)
{
	const struct wd_try unknown = { "format", "/", NULL }, half = { "link", "/", NULL };
	struct wd_error error;
	int err;

	CHECK(wd_try_all(&unknown, 1, 0, &err, &error) == -1);
	CHECK(wd_try_all(&half, 1, 0, &err, &error) == -1);
	CHECK(wd_try_all(NULL, 0, WD_TRY_DEADLINE_MS, &err, &error) == 0);
	for (const char *const *name = wd_try_names(); *name; name++)
		CHECK(wd_try_needs_path2(*name) ==
		      (strstr("rename exchange link symlink", *name) != NULL));
}

#define TEST(function)                                                                             \
	{                                                                                          \
#function, function                                                                \
	}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	TEST(an_error_names_step_errno_and_object),
	TEST(an_error_cuts_what_is_too_long),
	TEST(the_log_keeps_its_end_from_a_line_start),
	TEST(the_log_takes_more_than_it_holds_at_once),
	TEST(every_program_has_one_row_for_its_prototype),
	TEST(only_names_of_builds_are_builds),
	TEST(a_path_that_is_too_long_is_refused),
	TEST(only_a_bpf_file_system_holds_pins),
	TEST(a_wrong_object_is_refused_before_anything_is_made),
	TEST(the_host_is_described_without_failing),
	TEST(rows_are_sorted_by_the_bytes_of_the_key),
	TEST(rows_come_back_from_a_hash),
	TEST(an_empty_hash_and_an_array_come_back),
	TEST(a_peer_is_known_by_its_socket_only),
	TEST(the_service_manager_is_told),
	TEST(canaries_tell_what_each_call_answered),
	TEST(a_canary_without_an_answer_is_no_success),
	TEST(a_canary_refuses_what_it_does_not_know),
};

int main(void)
{
	const size_t count = sizeof(tests) / sizeof(tests[0]);
	char command[PATH_MAX];

	CHECK(mkdtemp(folder) != NULL);
	for (size_t i = 0; i < count; i++) {
		tests[i].run();
		printf("ok %zu - %s\n", i + 1, tests[i].name);
	}
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	CHECK(system(command) == 0);
	printf("%zu loader tests passed\n", count);
	return 0;
}
