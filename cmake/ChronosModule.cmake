# One function for every module of src/: a static library chronos_<name> (alias chronos::<name>)
# and, when tests are on, one test program <name>_test. The link graph is the layer table of
# ARCHITECTURE.md: DEPS are modules or libraries whose headers our headers use, PRIVATE_DEPS are
# those only the .cc files see. The files of a module may be compiled together (CHRONOS_UNITY), so
# what is private to one has a name that no other of the module has; those of a test may not.
function(chronos_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS;TESTS;TEST_DEPS" ${ARGN})
  add_library(chronos_${name} STATIC ${ARG_SOURCES})
  add_library(chronos::${name} ALIAS chronos_${name})
  set_target_properties(chronos_${name} PROPERTIES UNITY_BUILD ${CHRONOS_UNITY} UNITY_BUILD_BATCH_SIZE 10)
  target_include_directories(chronos_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(chronos_${name} PUBLIC ${ARG_DEPS} PRIVATE ${ARG_PRIVATE_DEPS} chronos_warnings)
  if(CHRONOS_TESTS AND ARG_TESTS)
    add_executable(${name}_test ${ARG_TESTS})
    target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_link_libraries(${name}_test PRIVATE chronos_${name} ${ARG_TEST_DEPS} GTest::gtest_main
                                               chronos_warnings)
    add_test(NAME ${name}_test COMMAND ${name}_test)
  endif()
endfunction()
