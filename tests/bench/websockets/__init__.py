"""Many websockets on the stream: how soon each hears of a change, and what each costs."""
