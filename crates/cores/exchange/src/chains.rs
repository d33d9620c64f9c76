//! Values in one growable block, chained into doubly linked lists. Adding, removing anywhere and
//! walking cost the same however many values there are; freed places are used again first.

/// "No place": the end of a list.
const NIL: u32 = u32::MAX;

/// The two ends of one list and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct List {
    head: u32,
    tail: u32,
    len: u32,
}

impl List {
    pub(crate) const EMPTY: Self = Self {
        head: NIL,
        tail: NIL,
        len: 0,
    };

    pub(crate) const fn head(&self) -> Option<u32> {
        some(self.head)
    }

    pub(crate) const fn len(&self) -> u32 {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[derive(Debug, Clone, Copy)]
struct Link<T> {
    prev: u32,
    next: u32,
    value: T,
}

/// The block. The lists that run through it are kept by the caller, who names the right one.
#[derive(Debug, Clone)]
pub(crate) struct Chains<T> {
    links: Vec<Link<T>>,
    free: u32,
}

impl<T: Copy> Chains<T> {
    pub(crate) fn with_capacity(values: usize) -> Self {
        Self {
            links: Vec::with_capacity(values),
            free: NIL,
        }
    }

    /// Puts `value` at the end of `list` and answers its place.
    pub(crate) fn push_back(&mut self, list: &mut List, value: T) -> u32 {
        let link = Link {
            prev: list.tail,
            next: NIL,
            value,
        };
        let place = self.free;
        let place = if place == NIL {
            self.links.push(link);
            (self.links.len() - 1) as u32
        } else {
            self.free = self.links[place as usize].next;
            self.links[place as usize] = link;
            place
        };
        if list.tail == NIL {
            list.head = place;
        } else {
            self.links[list.tail as usize].next = place;
        }
        list.tail = place;
        list.len += 1;
        place
    }

    /// Takes the value at `place` out of `list`, which must be the list it is in.
    pub(crate) fn remove(&mut self, list: &mut List, place: u32) -> T {
        let Link { prev, next, value } = self.links[place as usize];
        if prev == NIL {
            list.head = next;
        } else {
            self.links[prev as usize].next = next;
        }
        if next == NIL {
            list.tail = prev;
        } else {
            self.links[next as usize].prev = prev;
        }
        list.len -= 1;
        self.links[place as usize].next = self.free;
        self.free = place;
        value
    }

    pub(crate) fn get(&self, place: u32) -> &T {
        &self.links[place as usize].value
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> &mut T {
        &mut self.links[place as usize].value
    }

    /// The values of `list` from its head on.
    pub(crate) fn iter(&self, list: &List) -> impl Iterator<Item = &T> + '_ {
        std::iter::successors(list.head(), |place| some(self.links[*place as usize].next))
            .map(|place| self.get(place))
    }
}

const fn some(place: u32) -> Option<u32> {
    if place == NIL { None } else { Some(place) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_keep_their_order_and_freed_places_are_used_again() {
        let mut chains = Chains::with_capacity(0);
        let (mut odd, mut even) = (List::EMPTY, List::EMPTY);
        let places: Vec<u32> = (0..6)
            .map(|n| chains.push_back(if n % 2 == 0 { &mut even } else { &mut odd }, n))
            .collect();
        assert_eq!(chains.remove(&mut even, places[2]), 2);
        assert_eq!(chains.remove(&mut odd, places[1]), 1);
        assert_eq!(chains.remove(&mut odd, places[5]), 5);
        assert_eq!(chains.push_back(&mut odd, 7), places[5]);
        assert_eq!(chains.iter(&even).copied().collect::<Vec<_>>(), [0, 4]);
        assert_eq!(chains.iter(&odd).copied().collect::<Vec<_>>(), [3, 7]);
        assert_eq!((even.len(), odd.len()), (2, 2));
    }
}
