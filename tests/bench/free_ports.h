// Ports for programs that cannot pick one themselves.
#pragma once

namespace nemo::bench {

// Prints `count` different loopback ports that are free now, on one line.
void print_free_ports(int count);

}  // namespace nemo::bench
