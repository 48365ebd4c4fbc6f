"""The asyncio layer: `serve`, with the names and meanings of `websockets.asyncio.server`."""
