# How every target of the project is built: one place for language, warnings, sanitizers and the shared header set.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE OFF) # one setting for programs and libraries, so that they share headers: -fPIE below
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")

set(SYMBOLON_SANITIZE "" CACHE STRING "sanitizers for every target: address,undefined or thread; empty for none")
set(SYMBOLON_FUZZ OFF CACHE BOOL "build the libFuzzer targets (needs address,undefined)")

find_program(CCACHE ccache)
if(CCACHE)
    # The compiler's header set is part of what is cached; these two make that sound.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
    add_compile_options(-Xclang -fno-pch-timestamp)
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
    -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Wextra-semi -Wundef
    -Wno-gnu-statement-expression-from-macro-expansion -Wno-gnu-statement-expression -Wno-c23-extensions
    -Wno-missing-field-initializers -Wno-missing-designated-field-initializers
    -fPIE -fstack-protector-strong -D_GLIBCXX_ASSERTIONS -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
add_compile_definitions(BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
add_link_options(-fuse-ld=lld-19 -pie -Wl,-z,relro,-z,now)

if(SYMBOLON_SANITIZE)
    add_compile_options(-fsanitize=${SYMBOLON_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g1)
    add_link_options(-fsanitize=${SYMBOLON_SANITIZE})
    if(SYMBOLON_FUZZ)
        add_compile_options(-fsanitize=fuzzer-no-link)
        add_compile_definitions(SYMBOLON_FUZZING=1)
    endif()
endif()

# The standard headers that nearly every unit reads, parsed once.
file(WRITE ${CMAKE_BINARY_DIR}/shared_headers.cpp.tmp "")
configure_file(${CMAKE_BINARY_DIR}/shared_headers.cpp.tmp ${CMAKE_BINARY_DIR}/shared_headers.cpp COPYONLY)
add_library(shared_headers STATIC ${CMAKE_BINARY_DIR}/shared_headers.cpp)
target_precompile_headers(shared_headers PRIVATE
    <algorithm> <array> <chrono> <concepts> <coroutine> <cstdint> <cstring> <expected> <filesystem> <functional> <map> <memory>
    <optional> <ranges> <source_location> <span> <sstream> <string> <string_view> <unordered_map> <utility> <variant> <vector>)
add_library(shared_test_headers STATIC ${CMAKE_BINARY_DIR}/shared_headers.cpp)
target_link_libraries(shared_test_headers PRIVATE GTest::gtest GTest::gmock)
target_precompile_headers(shared_test_headers PRIVATE
    <algorithm> <array> <chrono> <concepts> <coroutine> <cstdint> <cstring> <expected> <functional> <map> <memory> <optional> <ranges>
    <span> <sstream> <string> <string_view> <unordered_map> <utility> <variant> <vector> <gtest/gtest.h>)
# Most of a test's units is run once: making them fast took twice as long as all the rest of compiling them.
set(SYMBOLON_TEST_OPTIONS -O0)
target_compile_options(shared_test_headers PRIVATE ${SYMBOLON_TEST_OPTIONS})

# symbolon_library(NAME [DEPS target…] [TEST_DEPS target…] [SUBFOLDERS folder…] [EXCEPT regex])
#
# The folder's *.cpp become the library NAME, its *_test.cpp the program NAME_test, whose tests CTest lists one by one.
# *_testing.cpp and testing/*.cpp (what other folders' tests may use) become NAME_testing.
function(symbolon_library name)
    cmake_parse_arguments(ARG "" "EXCEPT" "DEPS;TEST_DEPS;SUBFOLDERS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
    foreach(sub ${ARG_SUBFOLDERS})
        file(GLOB more CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/${sub}/*.cpp)
        list(APPEND sources ${more})
    endforeach()
    if(ARG_EXCEPT)
        list(FILTER sources EXCLUDE REGEX "${ARG_EXCEPT}")
    endif()
    set(tests ${sources})
    set(testing ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    list(FILTER testing INCLUDE REGEX "_testing\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "_(test|testing)\\.cpp$")
    if(sources)
        add_library(${name} STATIC ${sources})
        target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
        target_link_libraries(${name} PUBLIC ${ARG_DEPS})
        target_precompile_headers(${name} REUSE_FROM shared_headers)
        set(link_as ${name})
    else()
        add_library(${name} INTERFACE)
        target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
        target_link_libraries(${name} INTERFACE ${ARG_DEPS})
    endif()
    if(testing)
        add_library(${name}_testing STATIC ${testing})
        target_link_libraries(${name}_testing PUBLIC ${name})
        target_precompile_headers(${name}_testing REUSE_FROM shared_headers)
    endif()
    if(tests)
        add_executable(${name}_test ${tests})
        target_link_libraries(${name}_test PRIVATE ${name} ${ARG_TEST_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
        if(testing)
            target_link_libraries(${name}_test PRIVATE ${name}_testing)
        endif()
        target_compile_definitions(${name}_test PRIVATE SYMBOLON_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
        target_compile_options(${name}_test PRIVATE ${SYMBOLON_TEST_OPTIONS})
        target_precompile_headers(${name}_test REUSE_FROM shared_test_headers)
        include(GoogleTest)
        gtest_discover_tests(${name}_test PROPERTIES TIMEOUT 300 DISCOVERY_TIMEOUT 60)
    endif()
endfunction()

# symbolon_program(NAME SOURCE DEPS target…)
function(symbolon_program name source)
    cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${source})
        add_executable(${name} ${source})
        target_link_libraries(${name} PRIVATE ${ARG_DEPS})
        target_precompile_headers(${name} REUSE_FROM shared_headers)
    endif()
endfunction()

# symbolon_use_tcmalloc(TARGET)
#
# The program takes its memory from tcmalloc, which is linked in (docs/decisions/0009-memory.md). Sanitizers bring their own.
function(symbolon_use_tcmalloc target)
    if(SYMBOLON_SANITIZE)
        return()
    endif()
    find_library(TCMALLOC libtcmalloc_minimal.a REQUIRED)
    # Nothing names a function of it: it stands in for malloc.
    target_link_libraries(${target} PRIVATE -Wl,--push-state,--whole-archive ${TCMALLOC} -Wl,--pop-state)
endfunction()

# symbolon_embed_texts(TARGET)
#
# texts/CATALOGUE.LANGUAGE.json become part of the target (base/texts.hpp). The digests stand in the unit because the
# compiler cache does not look into #embed.
function(symbolon_embed_texts target)
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/texts/*.json)
    set(arrays "")
    set(rows "")
    foreach(file ${files})
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
        file(SHA256 ${file} digest)
        get_filename_component(name ${file} NAME)
        if(NOT name MATCHES "^([a-z_]+)\\.(fr|nl|de|en)\\.json$")
            message(FATAL_ERROR "texts/${name}: the name must be CATALOGUE.LANGUAGE.json, the language fr, nl, de or en")
        endif()
        set(array ${CMAKE_MATCH_1}_${CMAKE_MATCH_2})
        string(APPEND arrays "// ${digest}\nconstexpr char ${array}[] = {\n#embed \"${file}\" suffix(, )\n0};\n")
        string(APPEND rows "    TextFile{\"${CMAKE_MATCH_1}\", Language::${CMAKE_MATCH_2}, {${array}, sizeof(${array}) - 1}},\n")
    endforeach()
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/embedded_texts.cpp @ONLY CONTENT [[
#include "base/texts.hpp"

namespace symbolon {

namespace {
@arrays@
constexpr std::vector<TextFile> files()
{
    return {
@rows@    };
}
} // namespace

std::span<TextFile const> embedded_text_files()
{
    static std::vector<TextFile> const all = files();
    return all;
}

} // namespace symbolon
]])
    target_sources(${target} PRIVATE ${CMAKE_BINARY_DIR}/embedded_texts.cpp)
endfunction()

# symbolon_embed_file(TARGET NAME FILE)
#
# The file becomes the array `NAME` of "embedded/NAME.hpp", for TARGET alone. The digest is there for the compiler cache.
function(symbolon_embed_file target name file)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(SHA256 ${file} digest)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/embedded_files/embedded/${name}.hpp @ONLY CONTENT
         "#pragma once\n// @digest@\ninline constexpr char @name@[] = {\n#embed \"@file@\" suffix(, )\n0};\n")
    target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/embedded_files)
endfunction()
