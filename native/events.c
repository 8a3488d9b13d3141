// SPDX-License-Identifier: Apache-2.0
/*
 * events.c - counters and events that the programs leave in pinned maps.
 *
 * The consumer position of a ring buffer lies in the buffer itself, so a process that adopts the
 * pinned ring goes on where the one before stopped; nothing is lost or told twice by a restart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

int wd_read_counters(struct wd_kernel *kernel, struct wd_counters **ret_counters, size_t *ret_cpus,
		     struct wd_error *reterr_error)
{
	struct wd_map *map = wd_map_named(kernel, "counters");
	const int cpus = libbpf_num_possible_cpus();
	const uint32_t slot = 0;
	struct wd_counters *counters;

	_Static_assert(sizeof(*counters) % 8 == 0, "per-cpu values are spaced by 8 bytes");
	if (cpus < 0)
		return wd_fail(reterr_error, "map-read", -cpus, map->name, "how many CPUs?");
	counters = calloc((size_t)cpus, sizeof(*counters));
	if (!counters)
		return wd_fail(reterr_error, "memory", ENOMEM, map->name, "no memory");
	if (bpf_map_lookup_elem(map->fd, &slot, counters) != 0) {
		wd_fail(reterr_error, "map-read", errno, map->name, "cannot read");
		free(counters);
		return -1;
	}
	*ret_counters = counters;
	*ret_cpus = (size_t)cpus;
	return 0;
}

struct drain {
	wd_event_fn take;
	void *context;
	uint32_t left;
};

static int on_event(void *context, void *bytes, size_t length)
{
	struct wd_kernel *kernel = context;
	struct drain *drain = kernel->drain;

	drain->take(drain->context, bytes, length);
	drain->left--;
	/* libbpf has moved the consumer past this event before it looks at the result. */
	return drain->left == 0 ? -ECANCELED : 0;
}

/* In the order in which they are read: a proof waits for canaries, and denials come before what was
 * allowed, whatever else is waiting. */
static const char *const ring_names[] = { "canaries", "denials", "events" };

static int map_rings(struct wd_kernel *kernel, struct wd_error *reterr_error)
{
	struct ring_buffer *rings = NULL;

	for (size_t i = 0; i < sizeof(ring_names) / sizeof(ring_names[0]); i++) {
		int fd = wd_map_named(kernel, ring_names[i])->fd;
		bool mapped;

		if (rings)
			mapped = ring_buffer__add(rings, fd, on_event, kernel) == 0;
		else
			mapped = (rings = ring_buffer__new(fd, on_event, kernel, NULL)) != NULL;
		if (mapped)
			continue;
		wd_fail(reterr_error, "map-read", errno, ring_names[i],
			"cannot map the ring buffer");
		ring_buffer__free(rings);
		return -1;
	}
	kernel->events = rings;
	return 0;
}

int wd_expect_canaries(struct wd_kernel *kernel, bool expected, struct wd_error *reterr_error)
{
	struct wd_map *map = wd_map_named(kernel, "prover");
	const uint32_t slot = 0, tgid = expected ? (uint32_t)getpid() : 0;

	if (bpf_map_update_elem(map->fd, &slot, &tgid, BPF_ANY) != 0)
		return wd_fail(reterr_error, "map-update", errno, map->name, "cannot write");
	return 0;
}

int wd_drain_events(struct wd_kernel *kernel, uint32_t max, wd_event_fn take, void *context,
		    struct wd_error *reterr_error)
{
	struct drain drain = { .take = take, .context = context, .left = max };
	int result;

	wd_rest(kernel);
	if (max == 0)
		return 0;
	if (!kernel->events && map_rings(kernel, reterr_error) != 0)
		return -1;
	kernel->drain = &drain;
	result = ring_buffer__consume(kernel->events);
	kernel->drain = NULL;
	if (result < 0 && result != -ECANCELED)
		return wd_fail(reterr_error, "map-read", -result, "events", "cannot consume");
	return 0;
}
