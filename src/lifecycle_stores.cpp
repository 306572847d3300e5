// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/etcd_gateway.ipp>
#include <palette/impl/lifecycle/etcd_lock.ipp>
#include <palette/impl/lifecycle/etcd_messages.ipp>
#include <palette/impl/lifecycle/etcd_store.ipp>
#include <palette/impl/lifecycle/file_store.ipp>
#include <palette/impl/lifecycle/record_envelope.ipp>
