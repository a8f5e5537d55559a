namespace nemo {}
