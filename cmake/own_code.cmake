# SPDX-License-Identifier: BSL-1.0

# palette_keys_own_code(<target>): the warnings and sanitizers that our own code is built with, and
# nobody else's: as part of another project we are not the ones to choose.
function(palette_keys_own_code target)
  if(PROJECT_IS_TOP_LEVEL AND CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    palette_keys_warn(${target})
    palette_keys_sanitize(${target})
    palette_keys_bind_now(${target})
  endif()
endfunction()

# Where functions are bound at their first call, the dynamic linker saves the registers on the stack then, and
# with them pieces of a secret.
function(palette_keys_bind_now target)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    target_link_options(${target} PRIVATE LINKER:-z,now)
  endif()
endfunction()

function(palette_keys_warn target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It takes the allocation of Asio's coroutine frames for another's where it inlines one of the two.
    target_compile_options(${target} PRIVATE -Wno-mismatched-new-delete)
  endif()
  if(PALETTE_KEYS_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

function(palette_keys_sanitize target)
  set(sanitizers ${PALETTE_KEYS_SANITIZE})
  if(PALETTE_KEYS_BUILD_FUZZERS)
    list(APPEND sanitizers fuzzer-no-link)
  endif()
  if(sanitizers)
    list(JOIN sanitizers "," sanitizers)
    # The tests of threads are few, and take less time to run than the library to optimise.
    set(optimisation -O1)
    if(sanitizers MATCHES "thread")
      set(optimisation -O0)
    endif()
    target_compile_options(${target} PRIVATE ${optimisation} -g1 -fno-omit-frame-pointer -fno-sanitize-recover=all
                                             -fsanitize=${sanitizers})
    target_link_options(${target} PRIVATE -fsanitize=${sanitizers})
    if(sanitizers MATCHES "thread")
      # It does not follow the fences with which Asio counts references; without them Asio counts in a way
      # that it does.
      target_compile_definitions(${target} PRIVATE BOOST_ASIO_DISABLE_STD_ATOMIC)
    endif()
    if(sanitizers MATCHES "thread" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      # The shared one lets a test replace operator new.
      execute_process(
        COMMAND "${CMAKE_CXX_COMPILER}" "-print-file-name=libclang_rt.tsan-${CMAKE_SYSTEM_PROCESSOR}.so"
        OUTPUT_VARIABLE runtime OUTPUT_STRIP_TRAILING_WHITESPACE)
      cmake_path(GET runtime PARENT_PATH runtime_dir)
      target_link_options(${target} PRIVATE -shared-libsan "-Wl,-rpath,${runtime_dir}")
    endif()
    if(sanitizers MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      # It does not follow the fences that Asio uses, and says so in every file.
      target_compile_options(${target} PRIVATE -Wno-tsan)
    endif()
  endif()
endfunction()
