// What a close code says of presence. Threading: pure.
#pragma once

#include "chat/presence.hpp"
#include "net/websocket.hpp"

namespace parley::gateway {

// Who closes in order, or logs out, is gone; who goes away otherwise (a page that loads anew, a
// lost network, a server that stops) may be back in a moment.
inline chat::Parting parting(net::CloseCode code) {
    switch (code) {
    case net::CloseCode::normal:
    case net::CloseCode::none_received:
    case net::CloseCode::session_revoked:
        return chat::Parting::said_goodbye;
    default:
        return chat::Parting::dropped;
    }
}

} // namespace parley::gateway
