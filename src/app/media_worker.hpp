// `parley media-worker`: looks at one file that a stranger has made, and ends. The server starts it
// (system::MediaProcess); it is nobody's command.
//
//   in: 0 the file   out: 1 the report (protocol/media/report.hpp), 3 small.webp, 4 large.webp
//
// It reads no setting, has no secret and no connection, and takes from itself what it does not need
// before it looks at the first byte that is decoded: see system/sandbox.hpp. How large a picture is
// when it is decoded is looked at before that.
//
// Threading: main thread. Shutdown: it ends by itself, or is killed.
#pragma once

namespace parley::app {

// The exit status; 0 where a report was written.
int run_media_worker();

} // namespace parley::app
