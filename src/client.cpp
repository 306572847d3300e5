// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/client/blocking_client.ipp>
#include <palette/impl/client/changing.ipp>
#include <palette/impl/client/client.ipp>
#include <palette/impl/client/create_machine.ipp>
#include <palette/impl/client/creating.ipp>
#include <palette/impl/client/creation.ipp>
#include <palette/impl/client/default_transport.ipp>
#include <palette/impl/client/reading.ipp>
#include <palette/impl/client/reading_audit.ipp>
#include <palette/impl/client/reading_users.ipp>
#include <palette/impl/client/reconciling.ipp>
#include <palette/impl/client/serial.ipp>
#include <palette/impl/client/visits.ipp>
