<?php

declare(strict_types=1);

namespace Wsgate;

/** Decides who becomes a client of an endpoint. */
interface WebsocketAcceptor
{
    /**
     * Called in a fiber, it may wait: for a database, say. The library has checked before that this is a
     * handshake; what is none never comes here.
     *
     * @return Response with status 101: accepted, its headers and cookies go along; a `sec-websocket-protocol`
     *                  names the subprotocol. With any other: refused, with this response.
     */
    public function handleHandshake(Request $request): Response;
}
