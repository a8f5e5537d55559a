# A unity build compiles the files of a folder together, and those of a surface: each surface has a `ChatBody`, a `Part`
# and a `read_message` of its own, which are the right names for them.
set_target_properties(nemo_protocol PROPERTIES UNITY_BUILD_MODE GROUP)
get_target_property(protocol_sources nemo_protocol SOURCES)
foreach(source ${protocol_sources})
  get_filename_component(folder ${source} DIRECTORY)
  get_filename_component(group ${folder} NAME)
  if(source MATCHES "/surfaces/([a-z0-9]+)")
    set(group ${CMAKE_MATCH_1})
  endif()
  # The forms of Ollama's calls are alike down to the names of their parts.
  if(NOT source MATCHES "/ollama_(chat|embed|generate)\\.cpp$")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${group})
  endif()
endforeach()
