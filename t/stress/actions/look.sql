-- what is wrong for a moment is wrong
SELECT look();
