# SPDX-License-Identifier: BSL-1.0
# cmake -D PREFIX=... -D LIBRARY=... -D VERSION=major.minor -D EXPORTED=... -D NM=... -D READELF=...
#       -P shared_surface.cmake
#
# The shared library carries the right SONAME, and exports what is in namespace palette, only that, and
# EXPORTED, one of its functions, in any case.
cmake_minimum_required(VERSION 3.22)

set(SONAME "${LIBRARY}.${VERSION}")
file(GLOB_RECURSE library "${PREFIX}/*/${LIBRARY}")
execute_process(COMMAND "${READELF}" -d "${library}" OUTPUT_VARIABLE dynamic COMMAND_ERROR_IS_FATAL ANY)
if(NOT dynamic MATCHES "SONAME[^\n]*\\[([^]]*)\\]" OR NOT CMAKE_MATCH_1 STREQUAL SONAME)
  message(FATAL_ERROR "the SONAME is '${CMAKE_MATCH_1}', not '${SONAME}'")
endif()

execute_process(COMMAND "${NM}" -DC --defined-only "${library}" OUTPUT_VARIABLE symbols
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "[][;\\]" " " symbols "${symbols}")
string(REPLACE "\n" ";" symbols "${symbols}")
list(FILTER symbols EXCLUDE REGEX "^$")

# A function template's instance is shown with what it returns.
set(ours ${symbols})
list(FILTER ours INCLUDE REGEX
     "^[0-9a-f]* +[A-Za-z] (void |vtable for |typeinfo for |typeinfo name for |guard variable for )?palette::compiled::")
list(LENGTH ours count)
if(NOT symbols MATCHES "palette::compiled::${EXPORTED}")
  message(FATAL_ERROR "the API is not exported; ${count} symbols of ours are")
endif()
if(ours MATCHES "palette::compiled::impl::(wire|emulation)::[^;]*")
  message(FATAL_ERROR "exported, though internal: ${CMAKE_MATCH_0}")
endif()

list(REMOVE_ITEM symbols ${ours})
if(symbols)
  list(JOIN symbols "\n  " symbols)
  message(FATAL_ERROR "exported, though not ours:\n  ${symbols}")
endif()
message(STATUS "${LIBRARY}: ${count} exported symbols, all in namespace palette")
