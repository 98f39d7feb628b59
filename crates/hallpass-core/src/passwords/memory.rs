//! The memory that Argon2 works in. It goes from one hash to the next while they follow each other, since the system
//! takes longer to give 19 MiB than to take them; what was not used for a second is given back, with all that could be
//! guessed from it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::Block;

/// Room for at least so many blocks, of 1 KiB, is asked for: 33 MiB, of which what is not written costs nothing. What is
/// larger than 32 MiB glibc takes from the system and gives back to it; what is smaller it would keep.
const LEAST: usize = 33 * 1024;

/// Memory that nobody works in. There is never more than as many worked in at a time.
#[derive(Default)]
pub(super) struct Memory(Mutex<Vec<Kept>>);

struct Kept {
    blocks: Vec<Block>,
    /// Whether it was worked in since [`Memory::give_back`] last looked.
    used: bool,
}

impl Memory {
    /// Does some work in so many blocks, which hold anything.
    pub(super) fn lend<T>(&self, count: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        let kept = self.kept().pop().map(|kept| kept.blocks);
        let mut blocks = kept.unwrap_or_else(|| Vec::with_capacity(count.max(LEAST)));
        if blocks.len() < count {
            blocks.resize(count, Block::new());
        }
        let done = work(blocks.get_mut(..count).unwrap_or_default());
        self.kept().push(Kept { blocks, used: true });
        done
    }

    /// Gives back what was not used since the last call.
    pub(super) fn give_back(&self) {
        self.kept().retain_mut(|kept| std::mem::take(&mut kept.used));
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.kept().is_empty()
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_goes_from_one_hash_to_the_next_until_none_comes() {
        let memory = Memory::default();
        let lend = || memory.lend(8, |blocks| blocks.as_ptr());
        let first = lend();
        memory.give_back();
        assert_eq!(lend(), first);
        memory.give_back();
        assert_eq!(memory.kept().len(), 1);
        memory.give_back();
        assert!(memory.is_empty());
    }

    #[test]
    fn hashes_beside_each_other_have_memory_of_their_own_and_each_as_much_as_it_asks_for() {
        let memory = Memory::default();
        memory.lend(8, |outer| {
            memory.lend(16, |inner| {
                assert_eq!((outer.len(), inner.len()), (8, 16));
                assert_ne!(outer.as_ptr(), inner.as_ptr());
            });
        });
        assert_eq!(memory.lend(2 * LEAST, |blocks| blocks.len()), 2 * LEAST);
    }
}
