// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/system/append_file.ipp>
#include <palette/impl/system/atomic_file.ipp>
#include <palette/impl/system/child_process.ipp>
#include <palette/impl/system/directory.ipp>
#include <palette/impl/system/environment.ipp>
#include <palette/impl/system/file_lock.ipp>
#include <palette/impl/system/files.ipp>
#include <palette/impl/system/private_file.ipp>
#include <palette/impl/system/this_process.ipp>
#include <palette/impl/system/write_secret_file.ipp>
