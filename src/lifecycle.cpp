// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/rotation.ipp>
#include <palette/impl/lifecycle/rotation_cleaning.ipp>
#include <palette/impl/lifecycle/rotation_driver.ipp>
#include <palette/impl/lifecycle/rotation_failures.ipp>
#include <palette/impl/lifecycle/rotation_leftovers.ipp>
#include <palette/impl/lifecycle/rotation_machine.ipp>
#include <palette/impl/lifecycle/rotation_proof.ipp>
#include <palette/impl/lifecycle/rotation_record.ipp>
#include <palette/impl/lifecycle/rotation_successor.ipp>
#include <palette/impl/lifecycle/rotator.ipp>
#include <palette/impl/lifecycle/sink_provider.ipp>
