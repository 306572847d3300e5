# SPDX-License-Identifier: BSL-1.0

# What most programs of ours include of other libraries, compiled once for all of them. It hides that a file leaves
# out an include of its own, so it is for what is built some other way too.
add_library(palette_keys_precompiled OBJECT "${PROJECT_SOURCE_DIR}/tests/support/precompiled.cpp")
target_link_libraries(palette_keys_precompiled PRIVATE OpenSSL::SSL)
target_compile_features(palette_keys_precompiled PRIVATE cxx_std_20)
set_target_properties(palette_keys_precompiled PROPERTIES CXX_EXTENSIONS OFF)
palette_keys_own_code(palette_keys_precompiled)

# gold links in half of the time, where it is installed. Not with sanitizers, of whose symbols it warns.
find_program(palette_keys_gold ld.gold)
mark_as_advanced(palette_keys_gold)

# palette_keys_quick_to_build(<target>): for programs that take longer to build than to run.
function(palette_keys_quick_to_build target)
  target_compile_options(${target} PRIVATE -O0 -g1)
  target_link_libraries(${target} PRIVATE Boost::json) # its definitions have to be those of the header
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess) # for ccache
    # It collects garbage from a gigabyte on, not from 128 MB: a tenth of its time.
    target_compile_options(${target} PRIVATE --param=ggc-min-heapsize=1048576)
  endif()
  if(palette_keys_gold AND NOT PALETTE_KEYS_SANITIZE)
    target_link_options(${target} PRIVATE -fuse-ld=gold)
  endif()
  if(target STREQUAL "palette_keys_precompiled")
    target_precompile_headers(${target} PRIVATE "${PROJECT_SOURCE_DIR}/tests/support/precompiled.hpp")
  else()
    target_precompile_headers(${target} REUSE_FROM palette_keys_precompiled)
  endif()
endfunction()

palette_keys_quick_to_build(palette_keys_precompiled)
