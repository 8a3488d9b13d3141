// SPDX-License-Identifier: Apache-2.0
/*
 * addon.cc - what `require('warder.node')` returns; src/adapters/kernel/addon.ts is its typed view.
 *
 * All functions are synchronous and take no callbacks. None of them writes to stdout or stderr.
 */
#include <napi.h>

#include <linux/capability.h>

#include <string>
#include <vector>

#include "convert.h"
#include "kernel.h"
#include "loader.h"

namespace warder
{

namespace
{

constexpr uint32_t kTriesMax = 1024;
constexpr uint32_t kDescriptorMax = 0x7fffffff;

Napi::Array FromLsm(Napi::Env env, const std::string &list)
{
	Napi::Array result = Napi::Array::New(env);
	uint32_t count = 0;

	for (size_t start = 0; start < list.size();) {
		size_t end = list.find_first_of(",\n", start);

		if (end == std::string::npos)
			end = list.size();
		if (end > start)
			result.Set(count++, list.substr(start, end - start));
		start = end + 1;
	}
	return result;
}

// Those of the effective capabilities that loading, pinning, reading back or resolving needs.
Napi::Array FromCapabilities(Napi::Env env, uint64_t effective)
{
	static const struct {
		const char *name;
		int number;
	} wanted[] = {
		{ "CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH },
		{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN },
		{ "CAP_SYS_RESOURCE", CAP_SYS_RESOURCE },
		{ "CAP_MAC_ADMIN", CAP_MAC_ADMIN },
		{ "CAP_SYSLOG", CAP_SYSLOG },
		{ "CAP_PERFMON", CAP_PERFMON },
		{ "CAP_BPF", CAP_BPF },
	};
	Napi::Array result = Napi::Array::New(env);
	uint32_t count = 0;

	for (const auto &capability : wanted) {
		if (effective >> capability.number & 1)
			result.Set(count++, capability.name);
	}
	return result;
}

Napi::Value ProbeHost(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	wd_host host;

	wd_probe_host(&host);
	Napi::Array hooks = Napi::Array::New(env, host.hook_count);
	for (size_t i = 0; i < host.hook_count; i++) {
		const wd_hook_fact &fact = host.hooks[i];
		Napi::Object hook = Napi::Object::New(env);

		hook.Set("hook", fact.hook);
		hook.Set("present", fact.nargs >= 0);
		hook.Set("nargs", fact.nargs < 0 ? env.Null() : Napi::Number::New(env, fact.nargs));
		hook.Set("program",
			 fact.program ? Napi::String::New(env, fact.program) : env.Null());
		hook.Set("needs", fact.needs);
		hooks.Set(static_cast<uint32_t>(i), hook);
	}
	Napi::Object result = Napi::Object::New(env);
	result.Set("release", host.release);
	result.Set("btf", host.btf);
	result.Set("lsm", FromLsm(env, host.lsm));
	result.Set("bpffs", host.bpffs);
	result.Set("capabilities", FromCapabilities(env, host.effective));
	result.Set("hooks", hooks);
	return result;
}

Napi::Array FromPrograms(Napi::Env env, const wd_kernel *handle)
{
	static const char *const states[] = { "unset", "attached", "rejected", "absent", "idle" };
	const wd_program *programs;
	size_t count = wd_programs(handle, &programs);
	Napi::Array result = Napi::Array::New(env, count);

	for (size_t i = 0; i < count; i++) {
		const wd_program &program = programs[i];
		Napi::Object row = Napi::Object::New(env);

		row.Set("program", program.program);
		row.Set("hook", program.hook);
		row.Set("hookId", program.hook_id);
		row.Set("needs", program.needs);
		row.Set("state", states[program.state]);
		if (program.state == WD_PROGRAM_REJECTED) {
			row.Set("step", program.step);
			row.Set("errno", ErrnoName(env, program.err));
			row.Set("log", program.log ? program.log : "");
		}
		result.Set(static_cast<uint32_t>(i), row);
	}
	return result;
}

Napi::Value Open(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	Napi::Object source = ToObject(info[0], "options");
	std::string build = ToText(source.Get("build"), "build");
	std::string pin_dir = ToPath(source.Get("pinDir"), "pinDir");
	Bytes object = ToBytes(source.Get("object"), "object");
	wd_open_options options = { object.data, object.length, build.c_str(), pin_dir.c_str(),
				    source.Has("fresh") && ToBool(source.Get("fresh"), "fresh") };
	wd_kernel *handle;
	wd_error error;

	if (object.length == 0)
		ThrowArgument(env, "object", "the bytes of a BPF object");
	if (wd_open(&options, &handle, &error) != 0)
		Throw(env, error);
	Napi::Object kernel = Kernel::Wrap(env, handle);
	Napi::Object result = Napi::Object::New(env);
	result.Set("kernel", kernel);
	result.Set("adopted", wd_adopted(handle));
	result.Set("programs", FromPrograms(env, handle));
	return result;
}

Napi::Value DisablePins(const Napi::CallbackInfo &info)
{
	std::string pin_dir = ToPath(info[0], "pinDir");
	wd_removal removal;
	wd_error error;

	if (wd_disable_pins(pin_dir.c_str(), &removal, &error) != 0)
		Throw(info.Env(), error);
	return FromRemoval(info.Env(), removal);
}

// The strings that wd_try points into.
struct Try {
	std::string op, path, path2;
};

std::vector<Try> ToTries(const Napi::Value &value)
{
	if (!value.IsArray() || value.As<Napi::Array>().Length() > kTriesMax)
		ThrowArgument(value.Env(), "tries",
			      "an array of at most " + std::to_string(kTriesMax));
	Napi::Array source = value.As<Napi::Array>();
	std::vector<Try> tries;
	for (uint32_t i = 0; i < source.Length(); i++) {
		Napi::Object row = ToObject(source.Get(i), "tries");
		Try attempt = { ToText(row.Get("op"), "op"), ToPath(row.Get("path"), "path"), "" };

		if (wd_try_needs_path2(attempt.op.c_str()))
			attempt.path2 = ToPath(row.Get("path2"), "path2");
		tries.push_back(std::move(attempt));
	}
	return tries;
}

Napi::Value Probe(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	std::vector<Try> source = ToTries(info[0]);
	std::vector<wd_try> tries;
	std::vector<int> errnos(source.size() + 1);
	wd_error error;

	for (const Try &attempt : source)
		tries.push_back({ attempt.op.c_str(), attempt.path.c_str(),
				  attempt.path2.empty() ? nullptr : attempt.path2.c_str() });
	if (wd_try_all(tries.data(), tries.size(), WD_TRY_DEADLINE_MS, errnos.data(), &error) != 0)
		Throw(env, error);
	Napi::Array result = Napi::Array::New(env, tries.size());
	for (size_t i = 0; i < tries.size(); i++) {
		Napi::Object row = Napi::Object::New(env);
		bool answered = errnos[i] != WD_TRY_UNANSWERED;

		row.Set("op", source[i].op);
		row.Set("path", source[i].path);
		row.Set("answered", answered);
		row.Set("errno", ErrnoName(env, answered ? errnos[i] : 0));
		result.Set(static_cast<uint32_t>(i), row);
	}
	return result;
}

Napi::Value PeerCredentials(const Napi::CallbackInfo &info)
{
	wd_peer peer;
	wd_error error;

	if (wd_peer_credentials(static_cast<int>(ToUint32(info[0], "fd", kDescriptorMax)), &peer,
				&error) != 0)
		Throw(info.Env(), error);
	Napi::Object result = Napi::Object::New(info.Env());
	result.Set("pid", peer.pid);
	result.Set("uid", peer.uid);
	result.Set("gid", peer.gid);
	return result;
}

Napi::Value SdNotify(const Napi::CallbackInfo &info)
{
	std::string message = ToText(info[0], "message");
	bool sent;
	wd_error error;

	if (wd_notify(message.c_str(), &sent, &error) != 0)
		Throw(info.Env(), error);
	return Napi::Boolean::New(info.Env(), sent);
}

// The layouts that this addon was built with, so that user space can refuse another ABI.
Napi::Object DescribeAbi(Napi::Env env)
{
	Napi::Object result = Napi::Object::New(env);

	result.Set("version", WD_ABI_VERSION);
	result.Set("banks", WD_BANKS);
	result.Set("rulesMax", WD_RULES_MAX);
	result.Set("headerBytes", sizeof(wd_generation));
	result.Set("eventBytes", sizeof(wd_event));
	for (int i = 0; i < WD_TABLES; i++) {
		auto table = static_cast<wd_table>(i);
		Napi::Object row = Napi::Object::New(env);

		row.Set("keyBytes", wd_table_key_bytes(table));
		row.Set("valueBytes", wd_table_value_bytes(table));
		result.Set(wd_table_name(table), row);
	}
	return result;
}

Napi::Array ListTries(Napi::Env env)
{
	Napi::Array result = Napi::Array::New(env);
	const char *const *names = wd_try_names();

	for (uint32_t i = 0; names[i]; i++)
		result.Set(i, names[i]);
	return result;
}

// Lower-case hexadecimal, or null.
Napi::Value MeasureVerity(const Napi::CallbackInfo &info)
{
	Napi::Env env = info.Env();
	std::string path = ToPath(info[0], "path");
	static const char kDigits[] = "0123456789abcdef";
	std::string text;
	wd_verity verity;
	wd_error error;

	if (wd_measure_verity(path.c_str(), &verity, &error) != 0)
		Throw(env, error);
	if (!verity.present)
		return env.Null();
	for (uint8_t byte : verity.digest) {
		text += kDigits[byte >> 4];
		text += kDigits[byte & 15];
	}
	return Napi::String::New(env, text);
}

Napi::Object Init(Napi::Env env, Napi::Object exports)
{
	// One per environment, so that worker threads may load the addon, too.
	env.SetInstanceData(new Napi::FunctionReference(Napi::Persistent(Kernel::Define(env))));
	exports.Set("abi", DescribeAbi(env));
	exports.Set("probeOps", ListTries(env));
	exports.Set("probeHost", Napi::Function::New<ProbeHost>(env, "probeHost"));
	exports.Set("open", Napi::Function::New<Open>(env, "open"));
	exports.Set("disablePins", Napi::Function::New<DisablePins>(env, "disablePins"));
	exports.Set("probe", Napi::Function::New<Probe>(env, "probe"));
	exports.Set("measureVerity", Napi::Function::New<MeasureVerity>(env, "measureVerity"));
	exports.Set("peerCredentials",
		    Napi::Function::New<PeerCredentials>(env, "peerCredentials"));
	exports.Set("sdNotify", Napi::Function::New<SdNotify>(env, "sdNotify"));
	return exports;
}

} // namespace

} // namespace warder

static Napi::Object Init(Napi::Env env, Napi::Object exports)
{
	return warder::Init(env, exports);
}

NODE_API_MODULE(warder, Init)
