"""The venue's own Python client against the exchange: a second witness for the wire format.

Usage: official_client.py HTTP_BASE WS_BASE API_KEY SECRET
Ends with status 0 when every call was understood by the client and by the exchange.
"""

import asyncio
import sys

from binance_common.configuration import (
    ConfigurationRestAPI,
    ConfigurationWebSocketAPI,
    ConfigurationWebSocketStreams,
)
from binance_common.errors import BadRequestError
from binance_sdk_spot.spot import Spot

SYMBOL = "BTCUSDT"


def check(truth, what):
    if not truth:
        raise AssertionError(what)
    print(f"ok {what}")


def refused(call, text):
    try:
        call()
    except BadRequestError as error:
        check(text in str(error), f"refused: {text}")
        return
    raise AssertionError(f"was not refused: {text}")


def market_data(rest):
    info = rest.exchange_info().data()
    check([s.symbol for s in info.symbols] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"], "exchangeInfo")
    depth = rest.depth(symbol=SYMBOL, limit=20).data()
    check(float(depth.bids[0][0]) < float(depth.asks[0][0]), "depth")
    check(len(rest.klines(symbol=SYMBOL, interval="1s").data()) > 0, "klines")
    check(len(rest.agg_trades(symbol=SYMBOL).data()) > 0, "aggTrades")
    check(float(rest.avg_price(symbol=SYMBOL).data().price) > 0, "avgPrice")
    check(rest.ticker24hr(symbol=SYMBOL).data() is not None, "ticker/24hr")
    check(rest.ticker_book_ticker(symbol=SYMBOL).data() is not None, "ticker/bookTicker")


def trading(rest):
    limit = dict(symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01)
    rest.order_test(**limit, price=49000.0)
    order = rest.new_order(**limit, price=49000.0, new_client_order_id="py-1").data()
    check(order.status == "NEW", "order rests")
    found = rest.get_order(symbol=SYMBOL, orig_client_order_id="py-1").data()
    check(found.order_id == order.order_id, "order is found")
    check(len(rest.get_open_orders(symbol=SYMBOL).data()) == 1, "openOrders")
    check(rest.delete_order(symbol=SYMBOL, order_id=order.order_id).data().status == "CANCELED", "cancel")
    market = rest.new_order(symbol=SYMBOL, side="BUY", type="MARKET", quantity=0.01).data()
    check(market.status == "FILLED" and len(market.fills) > 0, "market order fills")
    check(len(rest.my_trades(symbol=SYMBOL, order_id=market.order_id).data()) == len(market.fills), "myTrades")
    account = rest.get_account(omit_zero_balances=True).data()
    check({"BTC", "USDT"} <= {b.asset for b in account.balances}, "account")
    check(len(rest.all_orders(symbol=SYMBOL).data()) >= 2, "allOrders")
    check(len(rest.rate_limit_order().data()) == 2, "rateLimit/order")
    refused(lambda: rest.new_order(**{**limit, "quantity": 1e-06}, price=49000.0), "Illegal characters")
    refused(lambda: rest.delete_order(symbol=SYMBOL, order_id=order.order_id), "Unknown order sent.")
    refused(lambda: rest.get_order(symbol=SYMBOL, order_id=1), "Order does not exist.")


async def streams(client):
    connection = await client.websocket_streams.create_connection()
    received = asyncio.Queue()
    for stream in [await connection.trade(symbol="btcusdt"), await connection.book_ticker(symbol="btcusdt")]:
        stream.on("message", received.put_nowait)
    for _ in range(4):
        message = await asyncio.wait_for(received.get(), 20)
        check(message is not None, f"stream message {type(message).__name__}")
    await connection.close_connection(close_session=True)


async def user_data(client, rest):
    connection = await client.websocket_api.create_connection()
    answer = await connection.user_data_stream_subscribe_signature()
    events = asyncio.Queue()
    answer.stream.on("message", events.put_nowait)
    ping = await connection.ping()
    check(ping.data() is not None, "WebSocket API ping")
    await asyncio.to_thread(
        lambda: rest.new_order(symbol=SYMBOL, side="SELL", type="MARKET", quantity=0.005)
    )
    event = await asyncio.wait_for(events.get(), 20)
    check("ExecutionReport(" in repr(event), "execution report arrives")
    placed = await connection.order_place(
        symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01, price=48000.0
    )
    check(placed.data().result.status == "NEW", "order.place")
    await connection.close_connection(close_session=True)


def main():
    http, ws, key, secret = sys.argv[1:5]
    client = Spot(
        config_rest_api=ConfigurationRestAPI(api_key=key, api_secret=secret, base_path=http),
        config_ws_api=ConfigurationWebSocketAPI(
            api_key=key, api_secret=secret, stream_url=f"{ws}/ws-api/v3"
        ),
        config_ws_streams=ConfigurationWebSocketStreams(stream_url=ws),
    )
    market_data(client.rest_api)
    trading(client.rest_api)
    asyncio.run(streams(client))
    asyncio.run(user_data(client, client.rest_api))


if __name__ == "__main__":
    main()
