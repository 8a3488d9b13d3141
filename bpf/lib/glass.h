/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * glass.h - break-glass: asks whether a denial stands without the rules that are relaxed.
 *
 * The decision itself (decide.h) knows nothing of it: it is made, and then made again as if these
 * rules did not hold. Only what the second one allows is let through, so a rule that is not in the
 * scope still denies, and the event says so. A move is asked in both directions: what is carried
 * into a tree whose rule is relaxed would be protected by nothing there.
 *
 * Not relaxed by anything: what could not be seen (WD_REASON_INCOMPLETE) and what protects the
 * decision itself (WD_REASON_SELF). Rules of the baseline are kept out by whoever fills the map.
 */
#ifndef WD_GLASS_H
#define WD_GLASS_H

#include "judge.h"
#include "live.h"

/* What is in use for this process, now, under this generation; or NULL. */
static __always_inline const struct wd_glass *wd_glass_for(const struct wd_generation *generation)
{
	const struct wd_glass *found;
	__u32 zero = 0;
	void *slot = bpf_map_lookup_elem(&glass, &zero);

	found = slot ? bpf_map_lookup_elem(slot, &zero) : NULL;
	if (!found || found->generation != generation->generation)
		return NULL;
	if (bpf_ktime_get_boot_ns() >= found->until_ns)
		return NULL;
	if (found->cgroup && bpf_get_current_ancestor_cgroup_id(found->level) != found->cgroup)
		return NULL;
	return found;
}

/* Requests that no rule was met by never come here. */
static __always_inline int wd_is_glass_asked(struct wd_judge *judge)
{
	struct wd_findings *findings = judge->findings;

	if (findings->incomplete || !findings->clean)
		return 0;
	return findings->decision.action == WD_ACTION_DENY || judge->moves;
}

/* Replaces the decision by the one without the relaxed rules. */
static __noinline int wd_break_glass(struct wd_judge *judge, struct wd_scratch *slot)
{
	const struct wd_glass *found = wd_glass_for(judge->generation);
	struct wd_findings *findings = judge->findings;
	struct wd_pass pass = {
		.generation = judge->generation,
		.covers = &findings->covers,
		.terms = &findings->terms,
		.out = &findings->decision,
		.moves = judge->moves,
	};

	if (!found)
		return 0;
	slot->first = findings->decision;
	wd_merge(&findings->covers.exempt, &found->rules, wd_words(judge->generation));
	wd_decide(&pass);
	if (findings->decision.action == WD_ACTION_DENY)
		return 0;
	/* What is allowed now was denied before, or audited, or allowed; and is told as that. */
	findings->decision = slot->first;
	if (slot->first.action != WD_ACTION_DENY)
		return 0;
	findings->decision.action = WD_ACTION_LET;
	slot->token = found->token;
	return 0;
}

#endif
