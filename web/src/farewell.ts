// What the sign-in page says to somebody who has just asked for their account to be deleted: the page on which they did
// is not theirs any more by then.

export const farewell = { accountIsToBeDeleted: false };
