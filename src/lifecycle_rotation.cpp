// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/lifecycle/rotation/rotation.ipp>
#include <palette/impl/lifecycle/rotation/rotation_cleaning.ipp>
#include <palette/impl/lifecycle/rotation/rotation_driver.ipp>
#include <palette/impl/lifecycle/rotation/rotation_failures.ipp>
#include <palette/impl/lifecycle/rotation/rotation_leftovers.ipp>
#include <palette/impl/lifecycle/rotation/rotation_machine.ipp>
#include <palette/impl/lifecycle/rotation/rotation_proof.ipp>
#include <palette/impl/lifecycle/rotation/rotation_record.ipp>
#include <palette/impl/lifecycle/rotation/rotation_successor.ipp>
#include <palette/impl/lifecycle/rotation/rotator.ipp>
#include <palette/impl/lifecycle/rotation/sink_provider.ipp>
