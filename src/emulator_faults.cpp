// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/emulator/faults/fault_list.ipp>
#include <palette/impl/emulator/faults/fault_rule.ipp>
#include <palette/impl/emulator/faults/faulty_answers.ipp>
