// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/record_envelope.ipp>
#include <palette/impl/lifecycle/stores/etcd_gateway.ipp>
#include <palette/impl/lifecycle/stores/etcd_lock.ipp>
#include <palette/impl/lifecycle/stores/etcd_messages.ipp>
#include <palette/impl/lifecycle/stores/etcd_store.ipp>
#include <palette/impl/lifecycle/stores/file_store.ipp>
