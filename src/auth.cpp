// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/auth/api_key.ipp>
#include <palette/impl/auth/echo.ipp>
#include <palette/impl/auth/environment.ipp>
#include <palette/impl/auth/file.ipp>
#include <palette/impl/auth/login.ipp>
#include <palette/impl/auth/login_messages.ipp>
#include <palette/impl/auth/token.ipp>
#include <palette/impl/auth/token_end.ipp>
