// SPDX-License-Identifier: Apache-2.0
#include "convert.h"

#include <cmath>
#include <cstring>

namespace warder
{

namespace
{

constexpr size_t kTextBytesMax = 4095; // PATH_MAX without its terminating zero

Napi::Error MakeError(Napi::Env env, const wd_error &error)
{
	char number[16];
	std::string detail = error.detail;
	std::string message = std::string(error.code) + ": " + error.object + ": " +
			      detail.substr(0, detail.find('\n'));

	if (error.err != 0)
		message += std::string(" (") + wd_errno_name(error.err, number) + ")";
	Napi::Error result = Napi::Error::New(env, message);
	result.Set("code", Napi::String::New(env, error.code));
	result.Set("errno", ErrnoName(env, error.err));
	result.Set("object", Napi::String::New(env, error.object));
	result.Set("detail", Napi::String::New(env, detail));
	return result;
}

} // namespace

Napi::Value ErrnoName(Napi::Env env, int err)
{
	char number[16];

	if (err == 0)
		return env.Null();
	return Napi::String::New(env, wd_errno_name(err, number));
}

void Throw(Napi::Env env, const wd_error &error)
{
	throw MakeError(env, error);
}

void ThrowArgument(Napi::Env env, const char *name, const std::string &expected)
{
	wd_error error;

	wd_fail(&error, "argument", 0, name, "expected %s", expected.c_str());
	Throw(env, error);
}

Napi::Object ToObject(const Napi::Value &value, const char *name)
{
	if (!value.IsObject())
		ThrowArgument(value.Env(), name, "an object");
	return value.As<Napi::Object>();
}

std::string ToText(const Napi::Value &value, const char *name)
{
	if (!value.IsString())
		ThrowArgument(value.Env(), name, "a string");
	std::string text = value.As<Napi::String>().Utf8Value();
	if (text.empty() || text.size() > kTextBytesMax || text.find('\0') != std::string::npos)
		ThrowArgument(value.Env(), name, "1 to 4095 bytes of text without a zero byte");
	return text;
}

std::string ToPath(const Napi::Value &value, const char *name)
{
	std::string path = ToText(value, name);

	if (path[0] != '/')
		ThrowArgument(value.Env(), name, "an absolute path");
	return path;
}

bool ToBool(const Napi::Value &value, const char *name)
{
	if (!value.IsBoolean())
		ThrowArgument(value.Env(), name, "a boolean");
	return value.As<Napi::Boolean>().Value();
}

uint32_t ToUint32(const Napi::Value &value, const char *name, uint32_t max)
{
	const std::string expected = "an integer from 0 to " + std::to_string(max);

	if (!value.IsNumber())
		ThrowArgument(value.Env(), name, expected);
	double number = value.As<Napi::Number>().DoubleValue();
	if (!(number >= 0 && number <= max) || number != std::floor(number))
		ThrowArgument(value.Env(), name, expected);
	return static_cast<uint32_t>(number);
}

Bytes ToBytes(const Napi::Value &value, const char *name)
{
	if (!value.IsTypedArray() ||
	    value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
		ThrowArgument(value.Env(), name, "a Uint8Array");
	Napi::Uint8Array array = value.As<Napi::Uint8Array>();
	return { array.Data(), array.ByteLength() };
}

Napi::Value FromU64(Napi::Env env, uint64_t value)
{
	return Napi::BigInt::New(env, value);
}

Napi::Value FromBytes(Napi::Env env, const void *data, size_t length)
{
	Napi::Uint8Array array = Napi::Uint8Array::New(env, length);

	if (length > 0)
		std::memcpy(array.Data(), data, length);
	return array;
}

Napi::Value FromRemoval(Napi::Env env, const wd_removal &removal)
{
	Napi::Object result = Napi::Object::New(env);

	result.Set("links", removal.links);
	result.Set("builds", removal.builds);
	result.Set("alive", removal.alive);
	return result;
}

} // namespace warder
