// What a process that serves does before anything else.
#pragma once

namespace parley::app {

// As many open files as it may have; and a peer that is gone is an error of write, also inside
// OpenSSL, not a signal.
void prepare_process();

} // namespace parley::app
