// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/environment.ipp>
#include <palette/impl/files.ipp>
#include <palette/impl/write_secret_file.ipp>
