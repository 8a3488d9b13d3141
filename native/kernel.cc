// SPDX-License-Identifier: Apache-2.0
#include "kernel.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "convert.h"

namespace warder
{

namespace
{

constexpr uint32_t kEntriesMax = 10'000'000; // as the configuration's scanEntriesMax
constexpr uint32_t kDrainMax = 65536;	     // events per call; a ring of 1 MiB holds fewer

struct Free {
	void operator()(void *memory) const
	{
		std::free(memory);
	}
};

uint32_t ToBank(const Napi::Value &value)
{
	return ToUint32(value, "bank", WD_BANKS - 1);
}

Napi::Object FromIdentity(Napi::Env env, const wd_identity &identity)
{
	Napi::Object result = Napi::Object::New(env);

	result.Set("dev", identity.dev);
	result.Set("ino", FromU64(env, identity.ino));
	result.Set("gen", identity.gen);
	result.Set("sub", FromU64(env, identity.sub));
	return result;
}

Napi::Object FromIds(Napi::Env env, const wd_bank_ids &ids)
{
	Napi::Object result = Napi::Object::New(env);

	result.Set("header", ids.header);
	for (int i = 0; i < WD_TABLES; i++)
		result.Set(wd_table_name(static_cast<wd_table>(i)), ids.tables[i]);
	return result;
}

Napi::Value FromCommitted(Napi::Env env, const wd_committed &committed)
{
	if (!committed.present)
		return env.Null();
	Napi::Object result = Napi::Object::New(env);
	result.Set("bank", committed.header.bank);
	result.Set("header", FromBytes(env, &committed.header, sizeof(committed.header)));
	result.Set("mapIds", FromIds(env, committed.ids));
	return result;
}

Napi::Object FromCounters(Napi::Env env, const wd_counters &counters)
{
	Napi::Object result = Napi::Object::New(env);

	result.Set("sequence", FromU64(env, counters.sequence));
	result.Set("emitted", FromU64(env, counters.emitted));
	result.Set("dropped", FromU64(env, counters.dropped));
	result.Set("denied", FromU64(env, counters.denied));
	result.Set("audited", FromU64(env, counters.audited));
	result.Set("incomplete", FromU64(env, counters.incomplete));
	result.Set("decisions", FromU64(env, counters.decisions));
	result.Set("retries", FromU64(env, counters.retries));
	result.Set("let", FromU64(env, counters.let));
	return result;
}

void Add(wd_counters *total, const wd_counters &counters)
{
	total->sequence += counters.sequence;
	total->emitted += counters.emitted;
	total->dropped += counters.dropped;
	total->denied += counters.denied;
	total->audited += counters.audited;
	total->incomplete += counters.incomplete;
	total->decisions += counters.decisions;
	total->retries += counters.retries;
	total->let += counters.let;
}

Napi::Object FromProof(Napi::Env env, const wd_proof &proof)
{
	Napi::Object result = Napi::Object::New(env);

	result.Set("program", proof.program->program);
	result.Set("hook", proof.program->hook);
	result.Set("hookId", proof.program->hook_id);
	result.Set("attached", proof.program->state == WD_PROGRAM_ATTACHED);
	result.Set("pinned", proof.pinned);
	result.Set("idle", proof.program->state == WD_PROGRAM_IDLE);
	result.Set("own", proof.own);
	result.Set("lsm", proof.lsm);
	result.Set("maps", proof.maps);
	result.Set("linkId", proof.link_id);
	result.Set("progId", proof.prog_id);
	result.Set("attachedTo", proof.attached_to);
	result.Set("tag", proof.tag);
	result.Set("expectedTag", proof.expected_tag);
	result.Set("recursionMisses", FromU64(env, proof.recursion_misses));
	result.Set("runCount", FromU64(env, proof.run_count));
	return result;
}

using Event = std::vector<uint8_t>;

// Runs below libbpf, where no exception may pass: it only copies.
void TakeEvent(void *context, const void *bytes, size_t length) noexcept
{
	const auto *first = static_cast<const uint8_t *>(bytes);

	static_cast<std::vector<Event> *>(context)->emplace_back(first, first + length);
}

} // namespace

Napi::Function Kernel::Define(Napi::Env env)
{
	return DefineClass(env, "Kernel",
			   {
				   InstanceMethod<&Kernel::Resolve>("resolve"),
				   InstanceMethod<&Kernel::Protect>("protect"),
				   InstanceMethod<&Kernel::Unprotect>("unprotect"),
				   InstanceMethod<&Kernel::Scan>("scan"),
				   InstanceMethod<&Kernel::Fill>("fill"),
				   InstanceMethod<&Kernel::Commit>("commit"),
				   InstanceMethod<&Kernel::Committed>("committed"),
				   InstanceMethod<&Kernel::ReadBack>("readBack"),
				   InstanceMethod<&Kernel::BankIds>("bankIds"),
				   InstanceMethod<&Kernel::Clear>("clear"),
				   InstanceMethod<&Kernel::SetGlass>("setGlass"),
				   InstanceMethod<&Kernel::Glass>("glass"),
				   InstanceMethod<&Kernel::Counters>("counters"),
				   InstanceMethod<&Kernel::DrainEvents>("drainEvents"),
				   InstanceMethod<&Kernel::ExpectCanaries>("expectCanaries"),
				   InstanceMethod<&Kernel::Proof>("proof"),
				   InstanceMethod<&Kernel::RetireOther>("retireOther"),
				   InstanceMethod<&Kernel::Disable>("disable"),
				   InstanceMethod<&Kernel::Close>("close"),
			   });
}

Napi::Object Kernel::Wrap(Napi::Env env, wd_kernel *handle)
{
	std::unique_ptr<wd_kernel, decltype(&wd_close)> owned(handle, wd_close);
	Napi::Object object = env.GetInstanceData<Napi::FunctionReference>()->New({});

	Napi::ObjectWrap<Kernel>::Unwrap(object)->handle_ = owned.release();
	return object;
}

Kernel::Kernel(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Kernel>(info)
{
}

Kernel::~Kernel()
{
	wd_close(handle_);
}

wd_kernel *Kernel::Handle(Napi::Env env) const
{
	wd_error error;

	if (handle_)
		return handle_;
	wd_fail(&error, "closed", EBADF, "kernel", "the handle was closed");
	Throw(env, error);
}

Napi::Value Kernel::Resolve(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	std::string path = ToPath(info[0], "path");
	bool follow = ToBool(ToObject(info[1], "options").Get("follow"), "follow");
	wd_resolve found;
	wd_error error;

	if (wd_resolve_path(handle, path.c_str(), follow, &found, &error) != 0)
		Throw(env, error);
	Napi::Object result = FromIdentity(env, found.identity);
	result.Set("nlink", found.nlink);
	result.Set("mode", found.mode);
	result.Set("magic", FromU64(env, found.magic));
	result.Set("folds", found.folds != 0);
	return result;
}

Napi::Value Kernel::Protect(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	Napi::Object by = ToObject(info[0], "by");
	std::string launcher = ToPath(by.Get("launcher"), "launcher");
	std::string runtime = ToPath(by.Get("runtime"), "runtime");
	wd_error error;

	if (wd_protect(handle, launcher.c_str(), runtime.c_str(), &error) != 0)
		Throw(env, error);
	return env.Undefined();
}

Napi::Value Kernel::Unprotect(const Napi::CallbackInfo &info)
{
	wd_kernel *handle = Handle(info.Env());
	wd_error error;

	if (wd_unprotect(handle, &error) != 0)
		Throw(info.Env(), error);
	return info.Env().Undefined();
}

Napi::Value Kernel::Scan(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	std::string root = ToPath(info[0], "root");
	uint32_t entries_max = ToUint32(info[1], "entriesMax", kEntriesMax);
	wd_scan scan;
	wd_error error;

	if (wd_scan_tree(handle, root.c_str(), entries_max, &scan, &error) != 0)
		Throw(env, error);
	std::unique_ptr<wd_scan, decltype(&wd_scan_free)> owned(&scan, wd_scan_free);
	Napi::Array identities = Napi::Array::New(env, scan.count);
	for (size_t i = 0; i < scan.count; i++) {
		Napi::HandleScope scope(env);

		identities.Set(static_cast<uint32_t>(i), FromIdentity(env, scan.identities[i]));
	}
	Napi::Object result = Napi::Object::New(env);
	result.Set("identities", identities);
	result.Set("entries", scan.entries);
	return result;
}

Napi::Value Kernel::Fill(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	uint32_t bank = ToBank(info[0]);
	Napi::Object source = ToObject(info[1], "image");
	wd_image image = {};
	wd_error error;

	// Getters of `source` may run JavaScript, so the values are fetched before their bytes.
	Napi::Value header = source.Get("header");
	Napi::Value tables[WD_TABLES];
	for (int i = 0; i < WD_TABLES; i++)
		tables[i] = source.Get(wd_table_name(static_cast<wd_table>(i)));
	Bytes bytes = ToBytes(header, "header");
	if (bytes.length != sizeof(image.header))
		ThrowArgument(env, "header", std::to_string(sizeof(image.header)) + " bytes");
	std::memcpy(&image.header, bytes.data, bytes.length);
	for (int i = 0; i < WD_TABLES; i++) {
		bytes = ToBytes(tables[i], wd_table_name(static_cast<wd_table>(i)));
		image.tables[i] = { const_cast<uint8_t *>(bytes.data), bytes.length };
	}
	if (wd_fill(handle, bank, &image, &error) != 0)
		Throw(env, error);
	return env.Undefined();
}

Napi::Value Kernel::Commit(const Napi::CallbackInfo &info)
{
	wd_kernel *handle = Handle(info.Env());
	wd_error error;

	if (wd_commit(handle, ToBank(info[0]), &error) != 0)
		Throw(info.Env(), error);
	return info.Env().Undefined();
}

Napi::Value Kernel::Committed(const Napi::CallbackInfo &info)
{
	wd_kernel *handle = Handle(info.Env());
	wd_committed committed;
	wd_error error;

	if (wd_read_committed(handle, &committed, &error) != 0)
		Throw(info.Env(), error);
	return FromCommitted(info.Env(), committed);
}

Napi::Value Kernel::ReadBack(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	wd_image image;
	wd_error error;

	if (wd_read_back(handle, ToBank(info[0]), &image, &error) != 0)
		Throw(env, error);
	std::unique_ptr<wd_image, decltype(&wd_image_free)> owned(&image, wd_image_free);
	Napi::Object result = Napi::Object::New(env);
	result.Set("header", FromBytes(env, &image.header, sizeof(image.header)));
	for (int i = 0; i < WD_TABLES; i++)
		result.Set(wd_table_name(static_cast<wd_table>(i)),
			   FromBytes(env, image.tables[i].bytes, image.tables[i].length));
	return result;
}

Napi::Value Kernel::BankIds(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	Napi::Array result = Napi::Array::New(env, WD_BANKS);
	wd_error error;

	for (uint32_t bank = 0; bank < WD_BANKS; bank++) {
		wd_bank_ids ids;

		if (wd_read_bank_ids(handle, bank, &ids, &error) != 0)
			Throw(env, error);
		result.Set(bank, FromIds(env, ids));
	}
	return result;
}

Napi::Value Kernel::Clear(const Napi::CallbackInfo &info)
{
	wd_kernel *handle = Handle(info.Env());
	wd_error error;

	if (wd_clear(handle, ToBank(info[0]), &error) != 0)
		Throw(info.Env(), error);
	return info.Env().Undefined();
}

Napi::Value Kernel::SetGlass(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	wd_glass glass;
	wd_error error;

	if (!info[0].IsNull()) {
		Bytes bytes = ToBytes(info[0], "glass");
		if (bytes.length != sizeof(glass))
			ThrowArgument(env, "glass", std::to_string(sizeof(glass)) + " bytes");
		std::memcpy(&glass, bytes.data, bytes.length);
	}
	if (wd_set_glass(handle, info[0].IsNull() ? nullptr : &glass, &error) != 0)
		Throw(env, error);
	return env.Undefined();
}

Napi::Value Kernel::Glass(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	wd_glass glass;
	bool present;
	wd_error error;

	if (wd_read_glass(handle, &present, &glass, &error) != 0)
		Throw(env, error);
	return present ? FromBytes(env, &glass, sizeof(glass)) : env.Null();
}

Napi::Value Kernel::Counters(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	wd_counters *counters, total = {};
	size_t cpus;
	wd_error error;

	if (wd_read_counters(handle, &counters, &cpus, &error) != 0)
		Throw(env, error);
	std::unique_ptr<wd_counters, Free> owned(counters);
	Napi::Array per_cpu = Napi::Array::New(env, cpus);
	for (size_t i = 0; i < cpus; i++) {
		Add(&total, counters[i]);
		per_cpu.Set(static_cast<uint32_t>(i), FromCounters(env, counters[i]));
	}
	Napi::Object result = Napi::Object::New(env);
	result.Set("perCpu", per_cpu);
	result.Set("total", FromCounters(env, total));
	return result;
}

Napi::Value Kernel::DrainEvents(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	uint32_t max = ToUint32(info[0], "max", kDrainMax);
	std::vector<Event> events;
	wd_error error;

	if (wd_drain_events(handle, max, TakeEvent, &events, &error) != 0)
		Throw(env, error);
	Napi::Array result = Napi::Array::New(env, events.size());
	for (size_t i = 0; i < events.size(); i++)
		result.Set(static_cast<uint32_t>(i),
			   FromBytes(env, events[i].data(), events[i].size()));
	return result;
}

Napi::Value Kernel::ExpectCanaries(const Napi::CallbackInfo &info)
{
	wd_kernel *handle = Handle(info.Env());
	bool expected = ToBool(info[0], "expected");
	wd_error error;

	if (wd_expect_canaries(handle, expected, &error) != 0)
		Throw(info.Env(), error);
	return info.Env().Undefined();
}

Napi::Value Kernel::Proof(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_kernel *handle = Handle(env);
	wd_committed committed;
	wd_proof *proof;
	size_t count;
	wd_error error;

	if (wd_read_proof(handle, &proof, &count, &error) != 0)
		Throw(env, error);
	std::unique_ptr<wd_proof, Free> owned(proof);
	if (wd_read_committed(handle, &committed, &error) != 0)
		Throw(env, error);
	Napi::Array programs = Napi::Array::New(env, count);
	for (size_t i = 0; i < count; i++)
		programs.Set(static_cast<uint32_t>(i), FromProof(env, proof[i]));
	wd_map_proof *map_proof;
	if (wd_read_map_proof(handle, &map_proof, &count, &error) != 0)
		Throw(env, error);
	std::unique_ptr<wd_map_proof, Free> owned_maps(map_proof);
	Napi::Array maps = Napi::Array::New(env, count);
	for (size_t i = 0; i < count; i++) {
		Napi::Object map = Napi::Object::New(env);
		map.Set("map", map_proof[i].map);
		map.Set("pinned", map_proof[i].pinned);
		maps.Set(static_cast<uint32_t>(i), map);
	}
	Napi::Object result = Napi::Object::New(env);
	result.Set("programs", programs);
	result.Set("maps", maps);
	result.Set("committed", FromCommitted(env, committed));
	return result;
}

Napi::Value Kernel::RetireOther(const Napi::CallbackInfo &info)
{
	wd_kernel *handle = Handle(info.Env());
	wd_removal removal;
	wd_error error;

	if (wd_retire_other(handle, &removal, &error) != 0)
		Throw(info.Env(), error);
	return FromRemoval(info.Env(), removal);
}

Napi::Value Kernel::Disable(const Napi::CallbackInfo &info)
{
	wd_kernel *handle = Handle(info.Env());
	wd_removal removal;
	wd_error error;

	handle_ = nullptr; // wd_disable() closes it, also when it fails
	if (wd_disable(handle, &removal, &error) != 0)
		Throw(info.Env(), error);
	return FromRemoval(info.Env(), removal);
}

Napi::Value Kernel::Close(const Napi::CallbackInfo &info)
{
	wd_close(Handle(info.Env()));
	handle_ = nullptr;
	return info.Env().Undefined();
}

} // namespace warder
