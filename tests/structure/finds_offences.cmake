# SPDX-License-Identifier: BSL-1.0
# cmake -D CHECK=<script> -D SAMPLE=<folder> -D LINE=<regular expression> -P finds_offences.cmake
#
# A check, run on a sample that breaks every kind of its rules, must say the lines of expected.txt there and no other
# ones of that form.

execute_process(
  COMMAND "${CMAKE_COMMAND}" -D "TREE=${CMAKE_CURRENT_LIST_DIR}/${SAMPLE}" -P "${CMAKE_CURRENT_LIST_DIR}/${CHECK}"
  ERROR_VARIABLE said
  OUTPUT_QUIET
  RESULT_VARIABLE status)
if(status EQUAL 0)
  message(FATAL_ERROR "the sample passed")
endif()

string(REGEX MATCHALL "${LINE}" said "${said}")
list(JOIN said "\n" said)
file(READ "${CMAKE_CURRENT_LIST_DIR}/${SAMPLE}/expected.txt" expected)
string(STRIP "${expected}" expected)
if(NOT said STREQUAL expected)
  message(FATAL_ERROR "expected:\n${expected}\n\nsaid:\n${said}")
endif()
