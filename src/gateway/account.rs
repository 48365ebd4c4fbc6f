//! One worker's accounts of the calls that ask for their outcome: who still has to get the message.

use slab::Slab;

use super::outcome::Part;

/// The calls that a worker has a part of.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    open: Slab<Account>,
}

#[derive(Debug)]
struct Account {
    part: Part,
    /// Members in whose outboxes it waits, and one while it is being queued.
    open: u64,
    delivered: u64,
    failed: Vec<u64>,
}

impl Accounts {
    /// Opens an account; [`Accounts::seal`] says that all its members are known.
    pub(crate) fn open(&mut self, part: Part) -> u32 {
        self.open.insert(Account { part, open: 1, delivered: 0, failed: Vec::new() }) as u32
    }

    /// The message was queued for a client: [`Accounts::settle`] will say what became of it.
    pub(crate) fn expect(&mut self, account: u32) {
        if let Some(account) = self.open.get_mut(account as usize) {
            account.open += 1;
        }
    }

    /// The message does not reach a client.
    pub(crate) fn fail(&mut self, account: u32, client: u64) {
        if let Some(account) = self.open.get_mut(account as usize) {
            account.failed.push(client);
        }
    }

    /// All members are known.
    pub(crate) fn seal(&mut self, account: u32) {
        self.close(account);
    }

    /// A message that was queued has left, or never will.
    pub(crate) fn settle(&mut self, account: u32, client: u64, delivered: bool) {
        match self.open.get_mut(account as usize) {
            Some(account) if delivered => account.delivered += 1,
            _ => self.fail(account, client),
        }
        self.close(account);
    }

    /// One less is open: with the last, the worker's part is done.
    fn close(&mut self, account: u32) {
        let Some(entry) = self.open.get_mut(account as usize) else { return };
        entry.open -= 1;
        if entry.open == 0 {
            let Account { part, delivered, failed, .. } = self.open.remove(account as usize);
            part.add(delivered, &failed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::outcome::Outcomes;

    #[test]
    fn a_part_is_done_when_each_of_its_members_is_settled() {
        let outcomes = Outcomes::new(1000);
        let mut accounts = Accounts::default();
        let account = accounts.open(outcomes.ask(7, 9, 1).unwrap().remove(0));
        accounts.expect(account);
        accounts.fail(account, 77);
        accounts.settle(account, 70, true);
        assert!(!outcomes.any(), "more members may come");
        accounts.expect(account);
        accounts.seal(account);
        assert!(!outcomes.any());
        accounts.settle(account, 78, false);
        let tally = outcomes.take().remove(0).tally;
        assert_eq!((tally.delivered, &tally.ids[..]), (1, &[77, 78][..]));
        assert!(accounts.open.is_empty());
    }
}
