/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel.h - the JavaScript class around one open handle.
 */
#ifndef WD_KERNEL_H
#define WD_KERNEL_H

#include <napi.h>

#include "loader.h"

namespace warder
{

// Every method throws code "closed" once close() or disable() was called.
class Kernel : public Napi::ObjectWrap<Kernel>
{
      public:
	static Napi::Function Define(Napi::Env env);
	// Wraps a handle and takes it over.
	static Napi::Object Wrap(Napi::Env env, wd_kernel *handle);

	explicit Kernel(const Napi::CallbackInfo &info);
	~Kernel() override;

      private:
	Napi::Value Resolve(const Napi::CallbackInfo &info);
	Napi::Value Protect(const Napi::CallbackInfo &info);
	Napi::Value Unprotect(const Napi::CallbackInfo &info);
	Napi::Value Scan(const Napi::CallbackInfo &info);
	Napi::Value Fill(const Napi::CallbackInfo &info);
	Napi::Value Commit(const Napi::CallbackInfo &info);
	Napi::Value Committed(const Napi::CallbackInfo &info);
	Napi::Value ReadBack(const Napi::CallbackInfo &info);
	Napi::Value BankIds(const Napi::CallbackInfo &info);
	Napi::Value Clear(const Napi::CallbackInfo &info);
	Napi::Value SetGlass(const Napi::CallbackInfo &info);
	Napi::Value Glass(const Napi::CallbackInfo &info);
	Napi::Value Counters(const Napi::CallbackInfo &info);
	Napi::Value DrainEvents(const Napi::CallbackInfo &info);
	Napi::Value ExpectCanaries(const Napi::CallbackInfo &info);
	Napi::Value Proof(const Napi::CallbackInfo &info);
	Napi::Value RetireOther(const Napi::CallbackInfo &info);
	Napi::Value Disable(const Napi::CallbackInfo &info);
	Napi::Value Close(const Napi::CallbackInfo &info);

	wd_kernel *Handle(Napi::Env env) const;

	wd_kernel *handle_ = nullptr;
};

} // namespace warder

#endif
