// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * run.c - judges the requests of vector packs natively, under sanitizers.
 *
 * usage: decide_native PACK...
 *
 * Records are found by plain search: a second, obviously right form of the maps.
 */
#include "../pack.h"
#include "test_cursor.h"

#define wd_repeat(n, fn, ctx)                                                                      \
	do {                                                                                       \
		for (__u32 i_ = 0; i_ < (n) && fn(i_, ctx) == 0; i_++)                             \
			;                                                                          \
	} while (0)

#define wd_zero(to, bytes) memset(to, 0, bytes)

#include "test_judge.h"

static struct wd_pack pack;

static const struct wd_object *wd_find_object(struct wd_judge *judge,
					      const struct wd_identity *identity)
{
	(void)judge;
	for (__u32 i = 0; i < pack.head.objects; i++)
		if (!memcmp(&pack.objects[i].key, identity, sizeof(*identity)))
			return &pack.objects[i].value;
	return NULL;
}

static const struct wd_object *wd_find_name(struct wd_judge *judge, const struct wd_name_key *key)
{
	(void)judge;
	for (__u32 i = 0; i < pack.head.names; i++)
		if (!memcmp(&pack.names[i].key, key, sizeof(*key)))
			return &pack.names[i].value;
	return NULL;
}

static const struct wd_ruleset *wd_find_label(struct wd_judge *judge, const __u32 *label)
{
	(void)judge;
	return *label < pack.head.labels ? &pack.labels[*label] : NULL;
}

static const __u32 *wd_find_exempt(struct wd_judge *judge, const struct wd_exempt_key *key)
{
	(void)judge;
	for (__u32 i = 0; i < pack.head.exempt; i++)
		if (!memcmp(&pack.exempt[i].key, key, sizeof(*key)))
			return &pack.exempt[i].label;
	return NULL;
}

static const struct wd_group *wd_find_group(struct wd_judge *judge, const struct wd_group_key *key)
{
	(void)judge;
	for (__u32 i = 0; i < pack.head.groups; i++)
		if (!memcmp(&pack.groups[i].key, key, sizeof(*key)))
			return &pack.groups[i].value;
	return NULL;
}

int main(int argc, char **argv)
{
	struct wd_test_scratch *slot = malloc(sizeof(*slot));

	if (!slot)
		return 2;
	/* Scratch in the kernel holds what the last request left: so does this. */
	memset(slot, 0xa5, sizeof(*slot));
	for (int at = 1; at < argc; at++) {
		wd_pack_read(&pack, argv[at]);
		for (__u32 i = 0; i < pack.head.requests; i++) {
			slot->request = pack.requests[i];
			wd_test_judge(slot, pack.generation->rules ? pack.generation : NULL);
			wd_pack_print(&slot->request.verdict);
		}
		wd_pack_free(&pack);
	}
	free(slot);
	return 0;
}
