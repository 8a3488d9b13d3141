/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.h - JavaScript values to C values and back; the only place that validates arguments.
 *
 * Every failure is an Error with `code`, `errno` (a name or null), `object` and `detail`. The code
 * of an argument that is wrong is "argument", and nothing was done.
 */
#ifndef WD_CONVERT_H
#define WD_CONVERT_H

#include <napi.h>

#include <string>

#include "loader.h"

namespace warder
{

[[noreturn]] void Throw(Napi::Env env, const wd_error &error);
[[noreturn]] void ThrowArgument(Napi::Env env, const char *name, const std::string &expected);
// The name of an errno, or null for 0.
Napi::Value ErrnoName(Napi::Env env, int err);

struct Bytes {
	const uint8_t *data;
	size_t length;
};

Napi::Object ToObject(const Napi::Value &value, const char *name);
// A string of 1 to 4095 bytes without a zero byte.
std::string ToText(const Napi::Value &value, const char *name);
// A string as above that begins with a slash.
std::string ToPath(const Napi::Value &value, const char *name);
bool ToBool(const Napi::Value &value, const char *name);
// An integer in [0, max].
uint32_t ToUint32(const Napi::Value &value, const char *name, uint32_t max);
// A Uint8Array (a Buffer is one). Valid until JavaScript runs again.
Bytes ToBytes(const Napi::Value &value, const char *name);

Napi::Value FromU64(Napi::Env env, uint64_t value);
Napi::Value FromBytes(Napi::Env env, const void *data, size_t length);
Napi::Value FromRemoval(Napi::Env env, const wd_removal &removal);

} // namespace warder

#endif
