# Builds the dashboard (web/) and puts its files into a module, as chronos_embed_files does. With
# CHRONOS_DASHBOARD=OFF a page that says so takes its place, and Node is not needed.
#
# All of it happens in the build directory: npm installs what web/package-lock.json names, once for each
# version of that file, and Vite writes dist/ there.
option(CHRONOS_DASHBOARD "Build the dashboard into the program (needs Node 18 or later and npm)" ON)

function(chronos_embed_dashboard target namespace function)
  if(NOT CHRONOS_DASHBOARD)
    chronos_embed_files(${target} ${namespace} ${function} DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/no_dashboard
                        FILES index.html robots.txt)
    return()
  endif()
  find_program(NODE_PROGRAM NAMES node nodejs)
  find_program(NPM_PROGRAM npm)
  if(NOT NODE_PROGRAM OR NOT NPM_PROGRAM)
    message(FATAL_ERROR "the dashboard is built with Node and npm: install nodejs and npm "
                        "(tools/packages.sh build), or build without it: -DCHRONOS_DASHBOARD=OFF")
  endif()

  set(from ${PROJECT_SOURCE_DIR}/web)
  set(to ${PROJECT_BINARY_DIR}/web)
  set(installed ${to}/node_modules/.installed)
  add_custom_command(
    OUTPUT ${installed}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${to}
    COMMAND ${CMAKE_COMMAND} -E copy ${from}/package.json ${from}/package-lock.json ${to}
    COMMAND ${NPM_PROGRAM} ci --prefix ${to} --ignore-scripts --no-audit --no-fund --prefer-offline
            --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${installed}
    DEPENDS ${from}/package.json ${from}/package-lock.json
    COMMENT "Installing what the dashboard is built with"
    VERBATIM)

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${from}/src/* ${from}/public/*)
  set(files ${from}/index.html ${from}/vite.config.ts ${from}/tsconfig.json)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${function}.cc)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${to}/src ${to}/public ${to}/dist
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${from}/src ${to}/src
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${from}/public ${to}/public
    COMMAND ${CMAKE_COMMAND} -E copy ${files} ${to}
    COMMAND ${CMAKE_COMMAND} -E chdir ${to} ${NODE_PROGRAM} node_modules/vite/bin/vite.js build --logLevel warn
    COMMAND ${NODE_PROGRAM} ${PROJECT_SOURCE_DIR}/cmake/compress.mjs ${to}/dist
    COMMAND ${CMAKE_COMMAND} -DNAMESPACE=${namespace} -DFUNCTION=${function} -DOUTPUT=${output}
            -DDIRECTORY=${to}/dist -P ${CHRONOS_EMBED_SCRIPT}
    DEPENDS ${installed} ${sources} ${files} ${CHRONOS_EMBED_SCRIPT} ${PROJECT_SOURCE_DIR}/cmake/compress.mjs
    COMMENT "Building the dashboard"
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
endfunction()
