//! The commands, questions and lists of execution and strategy.

use super::{WireError, list, part, part_if_given, parts, shown, text, text_if_given};
use crate::{
    api::{
        AccountView, CancelAll, CancelAllAnswer, CancelOrder, FillQuery, FillView, OrderQuery,
        OrderView, Page, PositionView, StrategyView, SubmitOrder,
    },
    proto,
};
use ploy_domain::OrderEvent;

impl From<&SubmitOrder> for proto::SubmitOrderRequest {
    fn from(command: &SubmitOrder) -> Self {
        Self {
            intent: Some((&command.intent).into()),
            idempotency_key: command.idempotency_key.to_string(),
        }
    }
}

impl TryFrom<proto::SubmitOrderRequest> for SubmitOrder {
    type Error = WireError;
    fn try_from(command: proto::SubmitOrderRequest) -> Result<Self, WireError> {
        Ok(Self {
            intent: part("intent", command.intent)?,
            idempotency_key: text("idempotency_key", &command.idempotency_key)?,
        })
    }
}

impl From<&CancelOrder> for proto::CancelOrderRequest {
    fn from(command: &CancelOrder) -> Self {
        Self {
            account: command.account.to_string(),
            order_id: command.order_id.to_string(),
            reason: command.reason.clone(),
        }
    }
}

impl TryFrom<proto::CancelOrderRequest> for CancelOrder {
    type Error = WireError;
    fn try_from(command: proto::CancelOrderRequest) -> Result<Self, WireError> {
        Ok(Self {
            account: text("account", &command.account)?,
            order_id: text("order_id", &command.order_id)?,
            reason: command.reason,
        })
    }
}

impl From<&CancelAll> for proto::CancelAllRequest {
    fn from(command: &CancelAll) -> Self {
        Self {
            scope: Some((&command.scope).into()),
            reason: command.reason.clone(),
        }
    }
}

impl TryFrom<proto::CancelAllRequest> for CancelAll {
    type Error = WireError;
    fn try_from(command: proto::CancelAllRequest) -> Result<Self, WireError> {
        Ok(Self {
            scope: part("scope", command.scope)?,
            reason: command.reason,
        })
    }
}

impl From<&CancelAllAnswer> for proto::CancelAllResponse {
    fn from(answer: &CancelAllAnswer) -> Self {
        Self {
            requested: answer.requested,
        }
    }
}

impl TryFrom<proto::CancelAllResponse> for CancelAllAnswer {
    type Error = WireError;
    fn try_from(answer: proto::CancelAllResponse) -> Result<Self, WireError> {
        Ok(Self {
            requested: answer.requested,
        })
    }
}

impl From<&OrderQuery> for proto::ListOrdersRequest {
    fn from(query: &OrderQuery) -> Self {
        Self {
            account: shown(query.account),
            open_only: query.open_only,
            strategy: shown(query.strategy),
            instrument: query.instrument.as_ref().map(Into::into),
            after: query.after.clone(),
            limit: query.limit,
        }
    }
}

impl TryFrom<proto::ListOrdersRequest> for OrderQuery {
    type Error = WireError;
    fn try_from(query: proto::ListOrdersRequest) -> Result<Self, WireError> {
        Ok(Self {
            account: text_if_given("account", &query.account)?,
            open_only: query.open_only,
            strategy: text_if_given("strategy", &query.strategy)?,
            instrument: part_if_given("instrument", query.instrument)?,
            after: query.after,
            limit: query.limit,
        })
    }
}

impl From<&Page<OrderView>> for proto::ListOrdersResponse {
    fn from(page: &Page<OrderView>) -> Self {
        Self {
            orders: list(&page.items),
            next: page.next.clone(),
        }
    }
}

impl TryFrom<proto::ListOrdersResponse> for Page<OrderView> {
    type Error = WireError;
    fn try_from(page: proto::ListOrdersResponse) -> Result<Self, WireError> {
        Ok(Self {
            items: parts("orders", page.orders)?,
            next: page.next,
        })
    }
}

impl From<&FillQuery> for proto::ListFillsRequest {
    fn from(query: &FillQuery) -> Self {
        Self {
            account: shown(query.account),
            after: query.after.clone(),
            limit: query.limit,
        }
    }
}

impl TryFrom<proto::ListFillsRequest> for FillQuery {
    type Error = WireError;
    fn try_from(query: proto::ListFillsRequest) -> Result<Self, WireError> {
        Ok(Self {
            account: text_if_given("account", &query.account)?,
            after: query.after,
            limit: query.limit,
        })
    }
}

impl From<&Page<FillView>> for proto::ListFillsResponse {
    fn from(page: &Page<FillView>) -> Self {
        Self {
            fills: list(&page.items),
            next: page.next.clone(),
        }
    }
}

impl TryFrom<proto::ListFillsResponse> for Page<FillView> {
    type Error = WireError;
    fn try_from(page: proto::ListFillsResponse) -> Result<Self, WireError> {
        Ok(Self {
            items: parts("fills", page.fills)?,
            next: page.next,
        })
    }
}

/// An answer that is nothing but a list.
macro_rules! whole_list {
    ($item:ty, $message:ident, $field:ident) => {
        impl From<&Vec<$item>> for proto::$message {
            fn from(items: &Vec<$item>) -> Self {
                Self {
                    $field: list(items),
                }
            }
        }

        impl TryFrom<proto::$message> for Vec<$item> {
            type Error = WireError;
            fn try_from(answer: proto::$message) -> Result<Self, WireError> {
                parts(stringify!($field), answer.$field)
            }
        }
    };
}

whole_list!(PositionView, ListPositionsResponse, positions);
whole_list!(AccountView, ListAccountsResponse, accounts);
whole_list!(OrderEvent, ReplayResponse, events);
whole_list!(StrategyView, ListStrategiesResponse, strategies);
