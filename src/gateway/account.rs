//! One worker's accounts of the calls that ask for their outcome: who still has to get the message.

use std::collections::VecDeque;

use slab::Slab;

use super::outcome::Part;

/// The calls that a worker has a part of, and what its clients wait for.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    open: Slab<Account>,
    /// Of each client, by its place: what must have left, in the order in which it was queued.
    receipts: Vec<VecDeque<Receipt>>,
    /// How many receipts there are in all.
    waiting: usize,
}

#[derive(Debug)]
struct Account {
    part: Part,
    /// Members who wait for it, and one while it is being queued.
    open: u64,
    delivered: u64,
    failed: Vec<u64>,
}

/// A message in an outbox: delivered when the client's stream has come to its end.
#[derive(Clone, Copy, Debug)]
struct Receipt {
    end: u64,
    account: usize,
}

/// A client's receipts that grew past this many are not kept for reuse.
const KEEP: usize = 64;

impl Accounts {
    /// Opens an account; [`Accounts::seal`] says that all its members are known.
    pub(crate) fn open(&mut self, part: Part) -> usize {
        self.open.insert(Account { part, open: 1, delivered: 0, failed: Vec::new() })
    }

    /// The message was queued for a client, and ends at this byte of all that was ever queued for it.
    pub(crate) fn expect(&mut self, account: usize, place: u32, end: u64) {
        let place = place as usize;
        if self.receipts.len() <= place {
            self.receipts.resize_with(place + 1, VecDeque::new);
        }
        let Some((receipts, open)) = self.receipts.get_mut(place).zip(self.open.get_mut(account)) else {
            return;
        };
        receipts.push_back(Receipt { end, account });
        open.open += 1;
        self.waiting += 1;
    }

    /// The message does not reach a client.
    pub(crate) fn fail(&mut self, account: usize, client: u64) {
        if let Some(account) = self.open.get_mut(account) {
            account.failed.push(client);
        }
    }

    /// All members are known.
    pub(crate) fn seal(&mut self, account: usize) {
        self.settle(account);
    }

    /// Whether nobody waits for anything.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    /// So many bytes have ever left for a client.
    pub(crate) fn written(&mut self, place: u32, bytes: u64) {
        while let Some(account) = self.next(place, bytes) {
            if let Some(account) = self.open.get_mut(account) {
                account.delivered += 1;
            }
            self.settle(account);
        }
    }

    /// Nothing more leaves for a client.
    pub(crate) fn lost(&mut self, place: u32, client: u64) {
        while let Some(account) = self.next(place, u64::MAX) {
            self.fail(account, client);
            self.settle(account);
        }
    }

    /// Takes a client's first receipt, if it ends within so many bytes, and names its account.
    fn next(&mut self, place: u32, bytes: u64) -> Option<usize> {
        let receipts = self.receipts.get_mut(place as usize)?;
        let receipt = receipts.front().copied().filter(|receipt| receipt.end <= bytes)?;
        receipts.pop_front();
        self.waiting -= 1;
        if receipts.is_empty() && receipts.capacity() > KEEP {
            *receipts = VecDeque::new();
        }
        Some(receipt.account)
    }

    /// One less is open: with the last, the worker's part is done.
    fn settle(&mut self, account: usize) {
        let Some(entry) = self.open.get_mut(account) else { return };
        entry.open -= 1;
        if entry.open == 0 {
            let Account { part, delivered, failed, .. } = self.open.remove(account);
            part.add(delivered, &failed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::outcome::Outcomes;

    #[test]
    fn a_message_is_delivered_when_its_last_byte_has_left_and_fails_when_it_never_will() {
        let outcomes = Outcomes::new(1000);
        let mut accounts = Accounts::default();
        let tell = |accounts: &mut Accounts, act: fn(&mut Accounts)| {
            act(accounts);
            outcomes
                .take()
                .into_iter()
                .map(|o| o.with_tally(|t| (o.ticket, t.delivered, t.ids.clone())))
                .collect::<Vec<_>>()
        };
        for (ticket, end) in [(1, 10), (2, 20)] {
            let account = accounts.open(outcomes.ask(ticket, 9, 1).unwrap().remove(0));
            accounts.expect(account, 3, end);
            accounts.expect(account, 5, end);
            accounts.fail(account, 77);
            accounts.seal(account);
        }
        assert_eq!(tell(&mut accounts, |accounts| accounts.written(3, 19)), []);
        assert_eq!(tell(&mut accounts, |accounts| accounts.written(5, 10)), [(1, 2, vec![77])]);
        assert_eq!(tell(&mut accounts, |accounts| accounts.lost(5, 50)), []);
        assert!(!accounts.is_empty());
        assert_eq!(tell(&mut accounts, |accounts| accounts.written(3, 20)), [(2, 1, vec![77, 50])]);
        assert!(accounts.is_empty() && accounts.open.is_empty());
    }

    #[test]
    fn a_call_to_nobody_is_done_when_that_is_known() {
        let outcomes = Outcomes::new(1000);
        let mut accounts = Accounts::default();
        let account = accounts.open(outcomes.ask(1, 9, 1).unwrap().remove(0));
        assert!(!outcomes.any());
        accounts.seal(account);
        assert!(outcomes.any());
    }
}
