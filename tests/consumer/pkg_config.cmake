# SPDX-License-Identifier: BSL-1.0
# cmake -D PREFIX=... -D VERSION=... -D COMPILER=... -D BINARY_DIR=... -P pkg_config.cmake
#
# Programs built with what pkg-config says and nothing else, from a copy of the installed tree: where the
# tree lies must not matter.
cmake_minimum_required(VERSION 3.22)

file(REMOVE_RECURSE "${BINARY_DIR}")
file(COPY "${PREFIX}/" DESTINATION "${BINARY_DIR}/moved")
file(GLOB_RECURSE pc "${BINARY_DIR}/moved/palette-keys.pc")
get_filename_component(pc_dir "${pc}" DIRECTORY)
set(ENV{PKG_CONFIG_PATH} "${pc_dir}")

function(ask_pkg_config variable package)
  execute_process(
    COMMAND pkg-config ${ARGN} ${package}
    OUTPUT_VARIABLE answer
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(answer UNIX_COMMAND "${answer}")
  set(${variable} "${answer}" PARENT_SCOPE)
endfunction()

# build_and_run(<package> <source>)
function(build_and_run package source)
  ask_pkg_config(version ${package} --modversion)
  if(NOT version STREQUAL VERSION)
    message(FATAL_ERROR "pkg-config says version '${version}', not '${VERSION}'")
  endif()

  ask_pkg_config(cflags ${package} --cflags)
  ask_pkg_config(libs ${package} --libs)
  string(REPLACE ";" " " flags "${cflags};${libs}")
  if(flags MATCHES "${PREFIX}/")
    message(FATAL_ERROR "the place of the installation is written into the file: ${flags}")
  endif()

  message(STATUS "${flags}")
  execute_process(
    COMMAND "${COMPILER}" -Wall -Wextra -Werror ${cflags} "${CMAKE_CURRENT_LIST_DIR}/${source}"
            -o "${BINARY_DIR}/consumer" ${libs} COMMAND_ERROR_IS_FATAL ANY)

  get_filename_component(lib_dir "${pc_dir}" DIRECTORY)
  execute_process(COMMAND "${CMAKE_COMMAND}" -E env "LD_LIBRARY_PATH=${lib_dir}" "${BINARY_DIR}/consumer"
                          COMMAND_ERROR_IS_FATAL ANY)
endfunction()

build_and_run(palette-keys main.cpp)
build_and_run(palette-keys-emulator emulator.cpp)
